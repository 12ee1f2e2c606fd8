"""What an orderer checks before it takes an envelope (`orderer/common/broadcast`, `msgprocessor`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from fabric_embedded.expiry import is_expired
from fabric_protocol.errors import GO_DECODING
from fabric_protocol.policies import SignedData, refusal_text, signing_identities

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig

_WRITERS = "/Channel/Writers"
_MAINTENANCE_WRITERS = "/Channel/Orderer/Writers"
_NO_CHANNEL = "could not determine channel ID"
_CONFIG_CHECKS = "config update for existing channel did not pass initial checks"
_REFUSED_TYPES = {
    common_pb2.CONFIG: "message is of type that cannot be processed directly",
    common_pb2.ORDERER_TRANSACTION: "message is of type that is no longer supported",
}


@dataclass(frozen=True)
class Refusal:
    """Why an envelope is not taken: a `common.Status` and Fabric's text."""

    status: int
    info: str


def check_envelope(
    envelope: common_pb2.Envelope,
    config: ChannelConfig,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Refusal | None:
    """Check an envelope in Fabric's order: form, channel, type, then size, expiry and signature.

    Parameters:
        envelope: as received; endorsements are not looked at.
        config: the channel's configuration in force.
        clock: of the ordering node.

    Returns:
        Why it is refused; None if it is accepted.
    """
    try:
        payload = common_pb2.Payload.FromString(envelope.payload)
        channel_header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        creator = common_pb2.SignatureHeader.FromString(payload.header.signature_header).creator
    except DecodeError:
        return _bad_request(f"{_NO_CHANNEL}: error unmarshalling Payload: {GO_DECODING}")
    if not payload.HasField("header"):
        return _bad_request(f"{_NO_CHANNEL}: header not set")
    if channel_header.channel_id != config.channel_id:
        return _bad_request("channel does not exist")
    if channel_header.type in _REFUSED_TYPES:
        return _bad_request(_REFUSED_TYPES[channel_header.type])
    if config.is_in_maintenance and channel_header.type != common_pb2.CONFIG_UPDATE:
        return Refusal(common_pb2.SERVICE_UNAVAILABLE, "normal transactions are rejected: maintenance mode")
    refusal = check_content(envelope, creator, config, clock)
    if refusal is not None and channel_header.type == common_pb2.CONFIG_UPDATE:
        return Refusal(refusal.status, f"{_CONFIG_CHECKS}: {refusal.info}")
    return refusal


def is_config_update(envelope: common_pb2.Envelope) -> bool:
    """Whether an envelope that was checked asks for another configuration."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    return bool(header.type == common_pb2.CONFIG_UPDATE)


def check_content(
    envelope: common_pb2.Envelope,
    creator: bytes,
    config: ChannelConfig,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Refusal | None:
    """Check size, expiry and signature of an envelope; parameters as `check_envelope`, with its creator."""
    size = len(envelope.payload) + len(envelope.signature)
    if size > config.absolute_max_bytes:
        return _bad_request(
            f"message payload is {size} bytes and exceeds maximum allowed {config.absolute_max_bytes} bytes"
        )
    if is_expired(creator, config.msps, clock()):
        return _bad_request("broadcast client identity expired")
    signed = SignedData(data=envelope.payload, identity=creator, signature=envelope.signature)
    # Whoever changes the type of consensus is left alone meanwhile.
    writers = config.policies.policy(_MAINTENANCE_WRITERS if config.is_in_maintenance else _WRITERS)
    signers = signing_identities([signed], config.msps)
    if not writers.evaluate_identities(signers):
        return Refusal(common_pb2.FORBIDDEN, f"{refusal_text(writers, signers)}: permission denied")
    return None


def _bad_request(info: str) -> Refusal:
    return Refusal(common_pb2.BAD_REQUEST, info)
