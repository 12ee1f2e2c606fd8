"""Steps from their bytes: for signatures that are made elsewhere, and for steps that outlive a process.

What is read is checked as if the gateway had just answered: the bytes may come from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2, transaction_pb2
from google.protobuf.message import DecodeError

import fabric_protocol.proposals
from fabric_gateway.commit import Commit
from fabric_gateway.connection import Connection
from fabric_gateway.endorsed import checked_payload
from fabric_gateway.proposal import Proposal
from fabric_gateway.transaction import Transaction
from fabric_protocol.errors import ProtocolError
from fabric_protocol.proposals import parse_proposal

_Step = TypeVar("_Step")


def proposal_from_bytes(connection: Connection, data: bytes, signature: bytes | None) -> Proposal:
    """Read what `Proposal.to_bytes` wrote; `signature`, where one is given, replaces the one in it."""

    def read() -> Proposal:
        proposed = gateway_pb2.ProposedTransaction.FromString(data)
        proposal = parse_proposal(proposed.proposal.proposal_bytes)
        _check_caller(connection, proposal, proposed.transaction_id)
        kept = _signature(connection, signature, proposed.proposal.signature)
        return Proposal(connection, proposal, tuple(proposed.endorsing_organizations), kept)

    return _read("ProposedTransaction", read)


def transaction_from_bytes(connection: Connection, data: bytes, signature: bytes | None) -> Transaction:
    """Read what `Transaction.to_bytes` wrote, and verify its endorsements."""

    def read() -> Transaction:
        prepared = gateway_pb2.PreparedTransaction.FromString(data)
        proposal = proposal_of_transaction(prepared.envelope.payload)
        _check_caller(connection, proposal, prepared.transaction_id)
        endorsed = checked_payload(proposal, prepared.envelope.payload, ())
        kept = _signature(connection, signature, prepared.envelope.signature)
        return Transaction(connection, proposal, endorsed, kept)

    return _read("PreparedTransaction", read)


def commit_from_bytes(connection: Connection, data: bytes, signature: bytes | None) -> Commit:
    """Read what `Commit.to_bytes` wrote."""

    def read() -> Commit:
        signed = gateway_pb2.SignedCommitStatusRequest.FromString(data)
        request = gateway_pb2.CommitStatusRequest.FromString(signed.request)
        if not request.transaction_id or request.identity != connection.identity:
            raise ValueError("got a request of another identity, or without transaction id")
        found = _signature(connection, signature, signed.signature)
        return Commit(connection, request.transaction_id, signed.request, found)

    return _read("SignedCommitStatusRequest", read)


def _read(message: str, read: Callable[[], _Step]) -> _Step:
    try:
        return read()
    except (DecodeError, ProtocolError, ValueError) as error:
        raise ValueError(
            f"expected the bytes of a gateway.{message} of this gateway's identity: {error}"
        ) from error


def _check_caller(
    connection: Connection, proposal: fabric_protocol.proposals.Proposal, transaction_id: str
) -> None:
    if proposal.creator != connection.identity:
        raise ValueError("got the proposal of another identity")
    if proposal.transaction_id != transaction_id:
        raise ValueError("got two different transaction ids")


def _signature(connection: Connection, given: bytes | None, found: bytes) -> bytes:
    return found if given is None else connection.signing.checked(given)


def proposal_of_transaction(payload: bytes) -> fabric_protocol.proposals.Proposal:
    """Return the proposal in a transaction's payload (serialized common.Payload), without its transient data.

    Raises:
        ValueError, DecodeError, ProtocolError: there is none.
    """
    parsed = common_pb2.Payload.FromString(payload)
    actions = transaction_pb2.Transaction.FromString(parsed.data).actions
    if len(actions) != 1:
        raise ValueError(f"got {len(actions)} actions, expected one")
    action = transaction_pb2.ChaincodeActionPayload.FromString(actions[0].payload)
    proposal = proposal_pb2.Proposal(
        header=parsed.header.SerializeToString(deterministic=True), payload=action.chaincode_proposal_payload
    )
    return parse_proposal(proposal.SerializeToString(deterministic=True))
