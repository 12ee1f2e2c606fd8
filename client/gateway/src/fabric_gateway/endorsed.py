"""What a client checks before it signs an endorsed transaction: that it is the one it proposed.

The gateway assembles the transaction; the client's signature then stands for it. So the client takes from the
gateway's answer only what endorsers signed, verifies their signatures, assembles the transaction itself, and
signs nothing but bytes that equal its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_event_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.message import DecodeError

from fabric_gateway.errors import EnvelopeError
from fabric_protocol.endorsements import assemble_parts
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import Identity, parse_identity
from fabric_protocol.proposals import Proposal
from fabric_protocol.signatures import verify


@dataclass(frozen=True, slots=True)
class EndorsedPayload:
    """A transaction's payload to be signed, the chaincode's result in it, and the endorsers' MSP ids."""

    payload: bytes
    result: bytes
    endorsers: tuple[str, ...]


def checked_payload(proposal: Proposal, payload: bytes, organizations: Sequence[str]) -> EndorsedPayload:
    """Return what may be signed of the gateway's answer `payload` (serialized common.Payload).

    Raises:
        EnvelopeError: it is not this proposal's transaction, or an endorsement does not hold, or one of
            `organizations` (where they were named) is missing, or another one endorsed.
    """
    try:
        return _checked(proposal, payload, organizations)
    except DecodeError as error:
        failure = _Mismatch("MALFORMED", "it cannot be parsed as an endorsed transaction")
        raise _refusal(failure, proposal) from error
    except ProtocolError as error:
        raise _refusal(_Mismatch(error.code, str(error)), proposal) from error
    except _Mismatch as error:
        raise _refusal(error, proposal) from error


class _Mismatch(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _refusal(mismatch: _Mismatch, proposal: Proposal) -> EnvelopeError:
    return EnvelopeError(
        f"the gateway's answer was not signed: {mismatch}",
        code=mismatch.code,
        transaction_id=proposal.transaction_id,
    )


def _checked(proposal: Proposal, payload: bytes, organizations: Sequence[str]) -> EndorsedPayload:
    action = _only_action(payload)
    response_payload = action.proposal_response_payload
    result = _checked_action(proposal, response_payload)
    endorsers = _checked_endorsers(action.endorsements, response_payload)
    if organizations and set(endorsers) != set(organizations):
        got, expected = sorted(set(endorsers)), sorted(set(organizations))
        raise _Mismatch("ENDORSERS_DIFFER", f"got endorsements of {got}, expected {expected}")
    own = assemble_parts(proposal.public_parts, response_payload, action.endorsements)
    if own != payload:
        raise _Mismatch("TRANSACTION_DIFFERS", "got another transaction than the one proposed")
    return EndorsedPayload(own, result, endorsers)


def _only_action(payload: bytes) -> transaction_pb2.ChaincodeEndorsedAction:
    transaction = transaction_pb2.Transaction.FromString(common_pb2.Payload.FromString(payload).data)
    if len(transaction.actions) != 1:
        raise _Mismatch("TRANSACTION_DIFFERS", f"got {len(transaction.actions)} actions, expected one")
    return transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload).action


def _checked_action(proposal: Proposal, response_payload: bytes) -> bytes:
    parsed = proposal_response_pb2.ProposalResponsePayload.FromString(response_payload)
    if parsed.proposal_hash != proposal.public_parts.hash:
        raise _Mismatch("PROPOSAL_HASH_DIFFERS", "got endorsements of another proposal")
    action = proposal_pb2.ChaincodeAction.FromString(parsed.extension)
    if action.chaincode_id.name != proposal.chaincode:
        raise _Mismatch(
            "CHAINCODE_DIFFERS", f"got {action.chaincode_id.name!r}, expected {proposal.chaincode!r}"
        )
    if not 200 <= action.response.status < 400:
        raise _Mismatch("RESPONSE_STATUS", f"got status {action.response.status}, expected 200 to 399")
    if action.events:
        event = chaincode_event_pb2.ChaincodeEvent.FromString(action.events)
        if (event.tx_id, event.chaincode_id) != (proposal.transaction_id, proposal.chaincode):
            raise _Mismatch("EVENT_DIFFERS", "got an event of another transaction or chaincode")
    return bytes(action.response.payload)


@lru_cache(maxsize=256)
def _endorser(serialized: bytes) -> Identity:
    # The same few peers endorse everything, and parsing a certificate costs a third of verifying a signature.
    return parse_identity(serialized)


def _checked_endorsers(endorsements: Sequence[Any], response_payload: bytes) -> tuple[str, ...]:
    if not endorsements:
        raise _Mismatch("NO_ENDORSEMENT", "got no endorsement, expected at least one")
    names: dict[bytes, str] = {}
    # All sign the same long payload, each with its own identity behind it: the payload is hashed once.
    payload_hash = sha256(response_payload)
    for endorsement in endorsements:
        endorser = endorsement.endorser
        if endorser in names:
            raise _Mismatch("ENDORSER_DOUBLED", "got two endorsements of one endorser")
        identity = _endorser(endorser)
        signed = payload_hash.copy()
        signed.update(endorser)
        message = response_payload + endorser
        verify(identity.public_key, endorsement.signature, message, signed.digest())
        names[endorser] = identity.msp_id
    return tuple(names.values())
