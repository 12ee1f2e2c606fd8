"""Signing updates of a channel's configuration, and the configurations that orderers make of them.

Source: fabric-behaviour §11.4 (`common/configtx.proto`, `protoutil/{commonutils,txutils}.go`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_protocol.signatures import Signer

_NONCE_BYTES: Final = 24


@dataclass(frozen=True)
class ConfigSigner:
    """Who signs.

    Parameters:
        identity: M(SerializedIdentity).
        signer: signs a SHA-256 digest.
    """

    identity: bytes
    signer: Signer

    def signature_header(self) -> bytes:
        """M(SignatureHeader) with a fresh nonce."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _encode(common_pb2.SignatureHeader(creator=self.identity, nonce=nonce))


def sign_update(update: bytes, signer: ConfigSigner) -> Any:
    """One administrator's consent to an update.

    Parameters:
        update: M(ConfigUpdate); all administrators sign the same bytes.
        signer: the administrator.

    Returns:
        ConfigSignature.
    """
    header = signer.signature_header()
    return configtx_pb2.ConfigSignature(
        signature_header=header, signature=signer.signer(sha256(header + update).digest())
    )


def update_envelope(
    channel_id: str,
    update: bytes,
    signatures: Sequence[Any],
    sender: ConfigSigner,
    *,
    timestamp: datetime | None = None,
) -> Any:
    """What is sent to an orderer's Broadcast (common.Envelope of type CONFIG_UPDATE).

    Parameters:
        channel_id: name of the channel.
        update: M(ConfigUpdate), as signed.
        signatures: `sign_update` of each administrator that the changed elements' policies ask for.
        sender: satisfies the channel's Writers; its signature of the envelope is no consent to the update.
        timestamp: when, with time zone; by default the present.
    """
    content = configtx_pb2.ConfigUpdateEnvelope(config_update=update, signatures=signatures)
    return _envelope(common_pb2.CONFIG_UPDATE, channel_id, content, sender, timestamp)


def config_envelope(
    channel_id: str, config: Any, orderer: ConfigSigner, *, timestamp: datetime | None = None
) -> Any:
    """What an ordering node puts into a block of its own (common.Envelope of type CONFIG).

    Parameters:
        channel_id: name of the channel.
        config: ConfigEnvelope, see `fabric_protocol.config_update.propose_config`.
        orderer: the ordering node.
        timestamp: when, with time zone; by default the present.
    """
    return _envelope(common_pb2.CONFIG, channel_id, config, orderer, timestamp)


def _envelope(
    kind: int, channel_id: str, content: Any, signer: ConfigSigner, timestamp: datetime | None
) -> Any:
    instant = timestamp or datetime.now(UTC)
    # Fabric's tools give these envelopes whole seconds and no transaction id.
    header = common_pb2.ChannelHeader(
        type=kind, channel_id=channel_id, timestamp=Timestamp(seconds=int(instant.timestamp()))
    )
    payload = _encode(
        common_pb2.Payload(
            header=common_pb2.Header(
                channel_header=_encode(header), signature_header=signer.signature_header()
            ),
            data=_encode(content),
        )
    )
    return common_pb2.Envelope(payload=payload, signature=signer.signer(sha256(payload).digest()))


def _encode(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized
