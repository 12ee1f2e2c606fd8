"""Building a channel's first configuration and its genesis block.

Source: fabric-behaviour §11.1, §11.2 (`common/genesis/genesis.go`, `internal/configtxgen/encoder`); DESIGN §9
for who may sign blocks. `fabric_protocol.channel_reading` reads what is built here.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_protocol.channel_policies import (
    add_implicit_policies,
    add_orderer_organization_policies,
    add_organization_policies,
    add_signature_policy,
)
from fabric_protocol.channel_reading import ChannelConfig, ChannelOrganization
from fabric_protocol.consensus_metadata import (
    bft_block_validation,
    bft_metadata,
    consenter_mapping,
    raft_metadata,
)
from fabric_protocol.errors import ConfigError
from fabric_protocol.msp import Msp
from fabric_protocol.ordering_config import BFT, Consenter, OrderingConfig
from fabric_protocol.policy_building import signed_by_n_of

__all__ = [
    "ChannelConfig",
    "ChannelOrganization",
    "Consenter",
    "OrderingConfig",
    "OrganizationConfig",
    "anchor_peer",
    "application_organization",
    "check_organizations",
    "genesis_block",
    "orderer_organization",
]

CHANNEL_CAPABILITY: Final = "V3_0"
ORDERER_CAPABILITY: Final = "V2_0"
APPLICATION_CAPABILITY: Final = "V2_5"

_ADMINS: Final = "Admins"
_FLAT_DATA_HASH: Final = 2**32 - 1
_METADATA_SLOTS: Final = 5
_NONCE_LENGTH: Final = 24
_CHANNEL_ID: Final = re.compile(r"[a-z][a-z0-9.-]{0,248}")
_GROUP_NAME: Final = re.compile(r"[a-zA-Z0-9.-]{1,249}")


@dataclass(frozen=True)
class OrganizationConfig:
    """One organization of a channel, with application and ordering part.

    Parameters:
        name: its group's name in the configuration.
        msp_id: as in its MSP's configuration.
        msp_config: MSPConfig, see `fabric_protocol.msp.build_msp_config`.
        orderer_endpoints: "host:port" of its ordering nodes, at least one.
        anchor_peers: "host:port" of peers that others may contact first.
    """

    name: str
    msp_id: str
    msp_config: Any
    orderer_endpoints: tuple[str, ...]
    anchor_peers: tuple[str, ...] = ()


def genesis_block(
    channel_id: str,
    organizations: Sequence[OrganizationConfig],
    ordering: OrderingConfig,
    *,
    timestamp: datetime,
    nonce: bytes | None = None,
) -> Any:
    """Build block 0 (common.Block) of a channel; every organization runs peers and orders.

    Parameters:
        channel_id: lower-case letters, digits, dots, hyphens; starts with a letter; at most 249 characters.
        organizations: with distinct names and MSP ids.
        ordering: with its consenters.
        timestamp: when, with time zone; whole seconds are kept.
        nonce: 24 bytes that make the block one of its kind; random when left out.

    Raises:
        ConfigError: CHANNEL_CONFIG_INVALID, ORDERING_INVALID, MSP_CONFIG_INVALID.
    """
    if not _CHANNEL_ID.fullmatch(channel_id):
        raise _invalid(f"channel id {channel_id!r}: expected lower-case letters, digits, '.', '-'")
    if timestamp.tzinfo is None:
        raise _invalid("timestamp needs a time zone")
    check_organizations(organizations)
    ordering.require_consenters()
    group = _channel_group(organizations, ordering)
    config = configtx_pb2.ConfigEnvelope(config=configtx_pb2.Config(sequence=0, channel_group=group))
    payload = _payload(channel_id, _bytes(config), timestamp, nonce or secrets.token_bytes(_NONCE_LENGTH))
    return _block(_bytes(common_pb2.Envelope(payload=payload)))


def application_organization(organization: OrganizationConfig) -> Any:
    """An organization's group in the application part (ConfigGroup)."""
    values = {"MSP": organization.msp_config}
    if organization.anchor_peers:
        peers = [anchor_peer(endpoint) for endpoint in organization.anchor_peers]
        values["AnchorPeers"] = peer_pb2.AnchorPeers(anchor_peers=peers)
    group = _group(values)
    add_organization_policies(group, organization.msp_id)
    return group


def orderer_organization(organization: OrganizationConfig) -> Any:
    """An organization's group in the ordering part (ConfigGroup)."""
    endpoints = configuration_pb2.OrdererAddresses(addresses=organization.orderer_endpoints)
    group = _group({"MSP": organization.msp_config, "Endpoints": endpoints})
    add_orderer_organization_policies(group, organization.msp_id)
    return group


def check_organizations(organizations: Sequence[OrganizationConfig]) -> None:
    """Check that organizations can be put into one channel.

    Raises:
        ConfigError: CHANNEL_CONFIG_INVALID, MSP_CONFIG_INVALID.
    """
    if not organizations:
        raise _invalid("expected at least one organization")
    for what, values in (
        ("name", [organization.name for organization in organizations]),
        ("MSP id", [organization.msp_id for organization in organizations]),
    ):
        if len(set(values)) != len(values):
            raise _invalid(f"two organizations have the same {what}")
    for organization in organizations:
        if not _GROUP_NAME.fullmatch(organization.name):
            raise _invalid(f"organization name {organization.name!r}: expected letters, digits, '.', '-'")
        if not organization.orderer_endpoints:
            raise _invalid(f"{organization.name}: expected at least one orderer endpoint")
        if Msp.from_config(organization.msp_config).msp_id != organization.msp_id:
            raise _invalid(
                f"{organization.name}: its MSP's configuration is not that of {organization.msp_id}"
            )


def _channel_group(organizations: Sequence[OrganizationConfig], ordering: OrderingConfig) -> Any:
    group = _group(
        {
            "HashingAlgorithm": configuration_pb2.HashingAlgorithm(name="SHA256"),
            "BlockDataHashingStructure": configuration_pb2.BlockDataHashingStructure(width=_FLAT_DATA_HASH),
            "Capabilities": _capabilities(CHANNEL_CAPABILITY),
        }
    )
    add_implicit_policies(group, {"Readers": "ANY", "Writers": "ANY", _ADMINS: "MAJORITY"})
    group.groups["Application"].CopyFrom(_application_group(organizations))
    group.groups["Orderer"].CopyFrom(_orderer_group(organizations, ordering))
    return group


def _application_group(organizations: Sequence[OrganizationConfig]) -> Any:
    group = _group({"Capabilities": _capabilities(APPLICATION_CAPABILITY)})
    add_implicit_policies(
        group,
        {
            "Readers": "ANY",
            "Writers": "ANY",
            _ADMINS: "MAJORITY",
            "Endorsement": "MAJORITY",
            "LifecycleEndorsement": "MAJORITY Endorsement",
        },
    )
    for organization in organizations:
        group.groups[organization.name].CopyFrom(application_organization(organization))
    return group


def _orderer_group(organizations: Sequence[OrganizationConfig], ordering: OrderingConfig) -> Any:
    is_bft = ordering.consensus == BFT
    metadata = bft_metadata(ordering) if is_bft else raft_metadata(ordering)
    values = {
        "ConsensusType": orderer_pb2.ConsensusType(type=ordering.consensus, metadata=metadata),
        "BatchSize": orderer_pb2.BatchSize(
            max_message_count=ordering.max_message_count,
            absolute_max_bytes=ordering.absolute_max_bytes,
            preferred_max_bytes=ordering.preferred_max_bytes,
        ),
        "BatchTimeout": orderer_pb2.BatchTimeout(timeout=ordering.batch_timeout),
        "ChannelRestrictions": orderer_pb2.ChannelRestrictions(),
        "Capabilities": _capabilities(ORDERER_CAPABILITY),
    }
    if is_bft:
        values["Orderers"] = consenter_mapping(ordering)
    group = _group(values)
    add_implicit_policies(group, {"Readers": "ANY", "Writers": "ANY", _ADMINS: "MAJORITY"})
    msp_ids = [organization.msp_id for organization in organizations]
    block_validation = bft_block_validation(ordering) if is_bft else signed_by_n_of(1, msp_ids, "orderer")
    add_signature_policy(group, "BlockValidation", block_validation)
    for organization in organizations:
        group.groups[organization.name].CopyFrom(orderer_organization(organization))
    return group


def _group(values: Mapping[str, Any]) -> Any:
    group = configtx_pb2.ConfigGroup(mod_policy=_ADMINS)
    for key, message in values.items():
        group.values[key].CopyFrom(configtx_pb2.ConfigValue(value=_bytes(message), mod_policy=_ADMINS))
    return group


def _capabilities(name: str) -> Any:
    return configuration_pb2.Capabilities(capabilities={name: configuration_pb2.Capability()})


def anchor_peer(endpoint: str) -> Any:
    """A peer (AnchorPeer) by its "host:port".

    Raises:
        ConfigError: CHANNEL_CONFIG_INVALID.
    """
    host, separator, port = endpoint.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise _invalid(f"anchor peer: expected 'host:port', got {endpoint!r}")
    return peer_pb2.AnchorPeer(host=host, port=int(port))


def _payload(channel_id: str, data: bytes, timestamp: datetime, nonce: bytes) -> bytes:
    # A genesis block has no creator, so its transaction id comes from the nonce alone.
    header = common_pb2.ChannelHeader(
        type=common_pb2.HeaderType.CONFIG,
        timestamp=Timestamp(seconds=int(timestamp.timestamp())),
        channel_id=channel_id,
        tx_id=hashlib.sha256(nonce).hexdigest(),
    )
    return _bytes(
        common_pb2.Payload(
            header=common_pb2.Header(
                channel_header=_bytes(header),
                signature_header=_bytes(common_pb2.SignatureHeader(nonce=nonce)),
            ),
            data=data,
        )
    )


def _block(envelope: bytes) -> Any:
    metadata = [b""] * _METADATA_SLOTS
    last_config = common_pb2.LastConfig(index=0)
    orderer_metadata = common_pb2.OrdererBlockMetadata(last_config=last_config)
    metadata[common_pb2.BlockMetadataIndex.SIGNATURES] = _bytes(
        common_pb2.Metadata(value=_bytes(orderer_metadata))
    )
    metadata[common_pb2.BlockMetadataIndex.LAST_CONFIG] = _bytes(
        common_pb2.Metadata(value=_bytes(last_config))
    )
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=0, data_hash=hashlib.sha256(envelope).digest()),
        data=common_pb2.BlockData(data=[envelope]),
        metadata=common_pb2.BlockMetadata(metadata=metadata),
    )


def _bytes(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized


def _invalid(what: str) -> ConfigError:
    return ConfigError("CHANNEL_CONFIG_INVALID", what)
