"""Transactions opened stage by stage, in the order in which peers look at them.

What each stage finds wrong, it names by the validation code that a peer gives for it.

Source: common/common.proto, peer/transaction.proto; stages as in Fabric's
``core/common/validation/msgvalidation.go`` and ``core/committer/txvalidator/v20``.
"""

from dataclasses import dataclass
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf.message import DecodeError

from fabric_protocol.errors import EncodingError
from fabric_protocol.proposals import payload_hash, transaction_id

CONFIG: int = common_pb2.CONFIG
CONFIG_UPDATE: int = common_pb2.CONFIG_UPDATE
ENDORSER_TRANSACTION: int = common_pb2.ENDORSER_TRANSACTION


@dataclass(frozen=True, slots=True)
class Endorsement:
    """One organization's signature over response payload || endorser."""

    endorser: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """The event that a transaction's chaincode set."""

    chaincode: str
    transaction_id: str
    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What a chaincode answered."""

    status: int
    message: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """An envelope opened up to its headers: what every type of transaction has.

    ``timestamp`` is the message's, unread: its seconds may be any number. ``channel_header`` and
    ``signature_header`` are bytes as received, for hashes.
    """

    type: int
    channel_id: str
    transaction_id: str
    creator: bytes
    nonce: bytes
    extension: bytes
    timestamp: Any
    channel_header: bytes
    signature_header: bytes
    payload: bytes
    signature: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class EndorsedAction:
    """The one action of an endorser transaction, opened up to its endorsements."""

    proposal_payload: bytes
    proposal_hash: bytes
    response_payload: bytes
    extension: bytes
    endorsements: tuple[Endorsement, ...]


@dataclass(frozen=True, slots=True)
class ChaincodeResult:
    """What the endorsers agreed on: the extension of their response payload.

    ``chaincode`` is None where the message is missing; ``event`` is M(ChaincodeEvent) or empty; ``results``
    M(TxReadWriteSet).
    """

    chaincode: str | None
    version: str
    results: bytes
    event: bytes
    response: Response


def read_header(data: bytes) -> SignedHeader:
    """Open M(Envelope) up to its headers.

    Raises:
        EncodingError: INVALID_OTHER_REASON, BAD_PAYLOAD, BAD_COMMON_HEADER.
    """
    envelope = parse_message(common_pb2.Envelope, data, "INVALID_OTHER_REASON")
    payload = parse_message(common_pb2.Payload, envelope.payload, "BAD_PAYLOAD")
    if not payload.HasField("header"):
        raise EncodingError("BAD_COMMON_HEADER", "The transaction has no header.")
    channel = parse_message(common_pb2.ChannelHeader, payload.header.channel_header, "BAD_COMMON_HEADER")
    signature = parse_message(
        common_pb2.SignatureHeader, payload.header.signature_header, "BAD_COMMON_HEADER"
    )
    if channel.type not in (ENDORSER_TRANSACTION, CONFIG_UPDATE, CONFIG):
        raise EncodingError("BAD_COMMON_HEADER", f"Header type {channel.type} is none of 1, 2, 3.")
    if channel.epoch != 0:
        raise EncodingError("BAD_COMMON_HEADER", f"The header's epoch is {channel.epoch}, expected 0.")
    return SignedHeader(
        type=channel.type,
        channel_id=channel.channel_id,
        transaction_id=channel.tx_id,
        creator=signature.creator,
        nonce=signature.nonce,
        extension=channel.extension,
        timestamp=channel.timestamp,
        channel_header=payload.header.channel_header,
        signature_header=payload.header.signature_header,
        payload=envelope.payload,
        signature=envelope.signature,
        data=payload.data,
    )


def check_transaction_id(header: SignedHeader) -> None:
    """Check that the id is the hash of nonce and creator.

    Raises:
        EncodingError: BAD_PROPOSAL_TXID.
    """
    expected = transaction_id(header.nonce, header.creator)
    if header.transaction_id != expected:
        raise EncodingError(
            "BAD_PROPOSAL_TXID", f"Transaction id {header.transaction_id!r}, expected {expected!r}."
        )


def read_action(header: SignedHeader) -> EndorsedAction:
    """Open an endorser transaction's action, and check that its endorsers answered this very proposal.

    Raises:
        EncodingError: INVALID_ENDORSER_TRANSACTION.
    """
    code = "INVALID_ENDORSER_TRANSACTION"
    transaction = parse_message(transaction_pb2.Transaction, header.data, code)
    if len(transaction.actions) != 1:
        raise EncodingError(code, f"The transaction has {len(transaction.actions)} actions, expected 1.")
    signature_header_bytes = transaction.actions[0].header
    signature_header = parse_message(common_pb2.SignatureHeader, signature_header_bytes, code)
    if not signature_header.nonce or not signature_header.creator:
        raise EncodingError(code, "The action's header lacks nonce or creator.")
    payload = parse_message(transaction_pb2.ChaincodeActionPayload, transaction.actions[0].payload, code)
    response_payload = payload.action.proposal_response_payload
    response = parse_message(proposal_response_pb2.ProposalResponsePayload, response_payload, code)
    proposal_payload = payload.chaincode_proposal_payload
    if (
        payload_hash(header.channel_header, signature_header_bytes, proposal_payload)
        != response.proposal_hash
    ):
        raise EncodingError(code, "The endorsements answer another proposal than the transaction's.")
    return EndorsedAction(
        proposal_payload=proposal_payload,
        proposal_hash=response.proposal_hash,
        response_payload=response_payload,
        extension=response.extension,
        endorsements=tuple(
            Endorsement(endorsement.endorser, endorsement.signature)
            for endorsement in payload.action.endorsements
        ),
    )


def read_extension(header: SignedHeader) -> str | None:
    """Name of the chaincode that the header says was called; None where it has no chaincode id.

    Raises:
        EncodingError: BAD_HEADER_EXTENSION.
    """
    extension = parse_message(proposal_pb2.ChaincodeHeaderExtension, header.extension, "BAD_HEADER_EXTENSION")
    return str(extension.chaincode_id.name) if extension.HasField("chaincode_id") else None


def read_result(action: EndorsedAction) -> ChaincodeResult:
    """Open what the endorsers agreed on.

    Raises:
        EncodingError: BAD_RESPONSE_PAYLOAD.
    """
    message = parse_message(proposal_pb2.ChaincodeAction, action.extension, "BAD_RESPONSE_PAYLOAD")
    response = message.response
    return ChaincodeResult(
        chaincode=message.chaincode_id.name if message.HasField("chaincode_id") else None,
        version=message.chaincode_id.version,
        results=message.results,
        event=message.events,
        response=Response(response.status, response.message, response.payload),
    )


def read_event(data: bytes) -> ChaincodeEvent | None:
    """Read M(ChaincodeEvent); None where there is none.

    Raises:
        EncodingError: INVALID_OTHER_REASON.
    """
    if not data:
        return None
    event = parse_message(chaincode_event_pb2.ChaincodeEvent, data, "INVALID_OTHER_REASON")
    return ChaincodeEvent(event.chaincode_id, event.tx_id, event.event_name, event.payload)


def parse_message(kind: Any, data: bytes, code: str) -> Any:
    """Parse a message of a type.

    Raises:
        EncodingError: with the given code.
    """
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise EncodingError(code, f"{len(data)} bytes are not a {kind.DESCRIPTOR.name} message.") from error
