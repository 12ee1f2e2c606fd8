"""Proposals: what a client asks peers to simulate.

Source: peer/proposal.proto; checks and texts as in Fabric's ``core/endorser/msgvalidation.go``.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import GO_DECODING, ProposalError
from fabric_protocol.timestamps import to_nearest_datetime, to_timestamp
from fabric_protocol.wire import bytes_field

_NONCE_BYTES = 24


@dataclass(frozen=True)
class PublicParts:
    """What of a proposal enters its transaction: common.Header, and the payload without transient data."""

    header: Any
    payload: bytes

    @property
    def hash(self) -> bytes:
        """What an endorsement says it answers; see `proposal_hash`."""
        return payload_hash(self.header.channel_header, self.header.signature_header, self.payload)


@dataclass(frozen=True)
class Proposal:
    """A proposal as it was made or received.

    ``data`` is M(Proposal) exactly as signed; ``timestamp`` is the clock of whoever created it (aware, UTC,
    microseconds); ``creator`` is the serialized identity; ``arguments`` are the chaincode's, function first;
    ``public_parts`` is what of it enters its transaction.
    """

    data: bytes
    transaction_id: str
    channel_id: str
    chaincode: str
    arguments: tuple[bytes, ...]
    transient: Mapping[str, bytes]
    creator: bytes
    nonce: bytes
    timestamp: datetime
    is_init: bool
    public_parts: PublicParts = field(repr=False, compare=False)


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """Id of the transaction: lower-case hex of SHA-256(nonce || creator)."""
    return sha256(nonce + creator).hexdigest()


def new_proposal(
    *,
    channel_id: str,
    chaincode: str,
    arguments: Sequence[bytes],
    creator: bytes,
    transient: Mapping[str, bytes] | None = None,
    is_init: bool = False,
    nonce: bytes | None = None,
    timestamp: datetime | None = None,
) -> Proposal:
    """Make a proposal.

    Parameters:
        channel_id: channel to propose on.
        chaincode: name of the chaincode.
        arguments: the chaincode's arguments, function first.
        creator: serialized identity of the client.
        transient: data that peers hand to the chaincode and that never enters the transaction.
        is_init: whether this is the call that initializes a chaincode whose definition requires one.
        nonce: bytes that make the id unique; 24 random ones if left out.
        timestamp: the client's time, aware; the present if left out.

    Raises:
        ProposalError: PROPOSAL_INVALID for an empty name, creator or nonce, or a time without zone.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES) if nonce is None else nonce
    timestamp = datetime.now(UTC) if timestamp is None else timestamp
    for name, value in (("chaincode", chaincode), ("creator", creator), ("nonce", nonce)):
        if not value:
            raise ProposalError("PROPOSAL_INVALID", f"The proposal's {name} is empty.")
    if timestamp.tzinfo is None:
        raise ProposalError("PROPOSAL_INVALID", "The proposal's timestamp has no time zone; use UTC.")
    identifier = transaction_id(nonce, creator)
    channel_header = _channel_header(channel_id, chaincode, identifier, timestamp)
    payload = _payload(chaincode, arguments, transient or {}, is_init)
    header = common_pb2.Header(
        channel_header=_encode(channel_header),
        signature_header=_encode(common_pb2.SignatureHeader(creator=creator, nonce=nonce)),
    )
    data = _encode(proposal_pb2.Proposal(header=_encode(header), payload=_encode(payload)))
    return Proposal(
        data=data,
        transaction_id=identifier,
        channel_id=channel_id,
        chaincode=chaincode,
        arguments=tuple(arguments),
        transient=dict(transient or {}),
        creator=creator,
        nonce=nonce,
        timestamp=timestamp.astimezone(UTC),
        is_init=is_init,
        public_parts=PublicParts(header, public_payload(payload)),
    )


def parse_proposal(data: bytes, *, is_known_channel: Callable[[str], bool] | None = None) -> Proposal:
    """Read M(Proposal) as an endorser does.

    Parameters:
        data: the bytes that the client signed.
        is_known_channel: asked between the checks of form and of content, as Fabric does; left out, any
            channel is accepted.

    Returns:
        The proposal; its creator's identity, signature and rights are still to be checked.

    Raises:
        ProposalError: PROPOSAL_MALFORMED for what does not parse, CHANNEL_NOT_FOUND, or PROPOSAL_INVALID for
            a wrong type, epoch, nonce, creator or transaction id; the messages are Fabric's.
    """
    proposal = parsed(proposal_pb2.Proposal, data)
    header = parsed(common_pb2.Header, proposal.header)
    channel_header = parsed(common_pb2.ChannelHeader, header.channel_header)
    signature_header = parsed(common_pb2.SignatureHeader, header.signature_header)
    extension = parsed(proposal_pb2.ChaincodeHeaderExtension, channel_header.extension)
    _check_named(extension)
    payload = parsed(proposal_pb2.ChaincodeProposalPayload, proposal.payload)
    specification = parsed(chaincode_pb2.ChaincodeInvocationSpec, payload.input)
    _check_input(specification)
    if is_known_channel is not None and not is_known_channel(channel_header.channel_id):
        raise ProposalError("CHANNEL_NOT_FOUND", f"channel '{channel_header.channel_id}' not found")
    _check_content(channel_header, signature_header)
    return Proposal(
        data=data,
        transaction_id=channel_header.tx_id,
        channel_id=channel_header.channel_id,
        chaincode=extension.chaincode_id.name,
        arguments=tuple(specification.chaincode_spec.input.args),
        transient=dict(payload.TransientMap),
        creator=signature_header.creator,
        nonce=signature_header.nonce,
        timestamp=to_nearest_datetime(channel_header.timestamp),
        is_init=specification.chaincode_spec.input.is_init,
        public_parts=PublicParts(header, public_payload(payload)),
    )


def parsed(message_type: Any, data: bytes) -> Any:
    """A part of a proposal.

    Parameters:
        message_type: of the part.
        data: its bytes.

    Raises:
        ProposalError: PROPOSAL_MALFORMED, with Fabric's text (`protoutil/unmarshalers.go`).
    """
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        name = message_type.DESCRIPTOR.name
        raise ProposalError("PROPOSAL_MALFORMED", f"error unmarshalling {name}: {GO_DECODING}") from error


def proposal_hash(data: bytes) -> bytes:
    """What an endorsement says it answers: SHA-256 over both headers and the payload without transient data.

    Parameters:
        data: M(Proposal) as signed.

    Raises:
        ProposalError: PROPOSAL_MALFORMED, if it does not parse.
    """
    return public_parts(data).hash


def public_parts(data: bytes) -> PublicParts:
    """Read what of a proposal enters its transaction.

    Parameters:
        data: M(Proposal) as signed.

    Raises:
        ProposalError: PROPOSAL_MALFORMED, if it does not parse.
    """
    try:
        proposal = proposal_pb2.Proposal.FromString(data)
        header = common_pb2.Header.FromString(proposal.header)
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    except DecodeError as error:
        raise ProposalError("PROPOSAL_MALFORMED", f"error unmarshalling Proposal: {error}") from error
    return PublicParts(header, public_payload(payload))


def payload_hash(channel_header: bytes, signature_header: bytes, payload: bytes) -> bytes:
    """SHA-256(channel header || signature header || payload without transient data), of bytes as received."""
    return sha256(channel_header + signature_header + payload).digest()


def public_payload(payload: Any) -> bytes:
    """M(ChaincodeProposalPayload) without its transient data, as it goes into the transaction."""
    return bytes_field(1, payload.input)


def _channel_header(channel_id: str, chaincode: str, identifier: str, timestamp: datetime) -> Any:
    return common_pb2.ChannelHeader(
        type=common_pb2.ENDORSER_TRANSACTION,
        timestamp=to_timestamp(timestamp),
        channel_id=channel_id,
        tx_id=identifier,
        extension=_extension(chaincode),
    )


@lru_cache(maxsize=64)
def _extension(chaincode: str) -> bytes:
    """M(ChaincodeHeaderExtension): a client proposes to few chaincodes, again and again."""
    return _encode(
        proposal_pb2.ChaincodeHeaderExtension(chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode))
    )


def _payload(
    chaincode: str, arguments: Sequence[bytes], transient: Mapping[str, bytes], is_init: bool
) -> Any:
    specification = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode),
            input=chaincode_pb2.ChaincodeInput(args=list(arguments), is_init=is_init),
        )
    )
    return proposal_pb2.ChaincodeProposalPayload(input=_encode(specification), TransientMap=dict(transient))


def _check_named(extension: Any) -> None:
    if not extension.HasField("chaincode_id"):
        raise ProposalError("PROPOSAL_MALFORMED", "ChaincodeHeaderExtension.ChaincodeId is nil")
    if not extension.chaincode_id.name:
        raise ProposalError("PROPOSAL_MALFORMED", "ChaincodeHeaderExtension.ChaincodeId.Name is empty")


def _check_input(specification: Any) -> None:
    problem = None
    if not specification.HasField("chaincode_spec"):
        problem = "chaincode invocation spec did not contain chaincode spec"
    elif not specification.chaincode_spec.HasField("input"):
        problem = "chaincode input did not contain any input"
    if problem is not None:
        raise ProposalError("PROPOSAL_MALFORMED", problem)


def _check_content(channel_header: Any, signature_header: Any) -> None:
    problem = None
    expected = transaction_id(signature_header.nonce, signature_header.creator)
    if channel_header.type not in (common_pb2.ENDORSER_TRANSACTION, common_pb2.CONFIG):
        problem = f"invalid header type {_type_name(channel_header.type)}"
    elif channel_header.epoch != 0:
        problem = "epoch is non-zero"
    elif not signature_header.nonce:
        problem = "nonce is empty"
    elif not signature_header.creator:
        problem = "creator is empty"
    elif channel_header.tx_id != expected:
        problem = f"incorrectly computed txid '{channel_header.tx_id}' -- expected '{expected}'"
    if problem is not None:
        raise ProposalError("PROPOSAL_INVALID", f"error validating proposal: {problem}")


def _type_name(number: int) -> str:
    names: dict[int, str] = {value: name for name, value in common_pb2.HeaderType.items()}
    return names.get(number, str(number))


def _encode(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded
