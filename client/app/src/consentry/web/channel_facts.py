"""What the last configuration block says of the channel: ordering, capabilities, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from fabric_protos.common import common_pb2
from fabric_protos.msp import msp_config_pb2
from google.protobuf.message import DecodeError

from consentry.index.checkpoint import Checkpoint
from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.errors import ProtocolError


@dataclass(frozen=True, slots=True, order=True)
class CertificateFact:
    """A certificate in the channel's configuration: end (UTC), whose (MSP id), and for what.

    `use` is ``members``, ``tls`` or ``orderer``.
    """

    ends: datetime
    owner: str
    use: str


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """The channel as its last configuration block has it."""

    configuration_block: int
    consensus: str
    capabilities: tuple[str, ...]
    certificates: tuple[CertificateFact, ...]


def channel_facts(checkpoint: Checkpoint) -> ChannelFacts | None:
    """What the index's last configuration block says; None if it cannot be read."""
    return _facts(bytes(checkpoint.position.config_block), checkpoint.position.last_config)


@lru_cache(maxsize=4)
def _facts(config_block: bytes, number: int) -> ChannelFacts | None:
    try:
        channel = ChannelConfig.from_block(common_pb2.Block.FromString(config_block))
    except (DecodeError, ProtocolError):
        return None
    return ChannelFacts(
        configuration_block=number,
        consensus=channel.consensus_type,
        capabilities=tuple(
            f"{part} {name}" for part, names in sorted(channel.capabilities.items()) for name in sorted(names)
        ),
        certificates=tuple(sorted(set(_certificates(channel)))),
    )


def _certificates(channel: ChannelConfig) -> Iterator[CertificateFact]:
    for part in ("Application", "Orderer"):
        for group in channel.group.groups[part].groups.values():
            msp = msp_config_pb2.FabricMSPConfig.FromString(
                msp_config_pb2.MSPConfig.FromString(group.values["MSP"].value).config
            )
            yield from _ends(msp.name, "members", [*msp.root_certs, *msp.intermediate_certs])
            yield from _ends(msp.name, "tls", [*msp.tls_root_certs, *msp.tls_intermediate_certs])


def _ends(owner: str, use: str, certificates: Iterable[bytes]) -> Iterator[CertificateFact]:
    for pem in certificates:
        try:
            yield CertificateFact(x509.load_pem_x509_certificate(pem).not_valid_after_utc, owner, use)
        except ValueError:
            # The channel was valid with it: an end that cannot be read is not shown.
            continue
