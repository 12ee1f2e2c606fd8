"""Changes of who belongs to a channel: ordering nodes added, replaced, removed; organizations removed.

Each gives a changed copy of the tree, as `fabric_protocol.config_editing` does.

Source: fabric-behaviour §6.4, §11.2, §11.3; an ordering service takes one change of its nodes at a time.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fabric_protos.common import configtx_pb2, configuration_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2

from fabric_protocol.channel_policies import add_signature_policy
from fabric_protocol.consensus_metadata import (
    bft_block_validation,
    consenter_mapping,
    raft_consenters,
    read_consenters,
)
from fabric_protocol.errors import ConfigError
from fabric_protocol.ordering_config import BFT, Consenter, OrderingConfig

_PARTS = ("Application", "Orderer")


def channel_consenters(group: Any) -> tuple[Consenter, ...]:
    """The ordering nodes of a channel (ConfigGroup)."""
    values = group.groups["Orderer"].values
    consensus = orderer_pb2.ConsensusType.FromString(values["ConsensusType"].value)
    mapping = values["Orderers"].value if "Orderers" in values else None
    return read_consenters(consensus.type, consensus.metadata, mapping)


def with_consenters(group: Any, consenters: Sequence[Consenter]) -> Any:
    """Have these nodes order; with SmartBFT their policy for block signatures follows.

    Raises:
        ConfigError: ORDERING_INVALID.
    """
    changed = _copy(group)
    orderer = changed.groups["Orderer"]
    consensus = orderer_pb2.ConsensusType.FromString(orderer.values["ConsensusType"].value)
    ordering = OrderingConfig(consensus=consensus.type, consenters=tuple(consenters))
    ordering.require_consenters()
    if consensus.type == BFT:
        orderer.values["Orderers"].value = _encode(consenter_mapping(ordering))
        kept = orderer.policies["BlockValidation"]
        version, mod_policy = kept.version, kept.mod_policy
        add_signature_policy(orderer, "BlockValidation", bft_block_validation(ordering))
        orderer.policies["BlockValidation"].version = version
        orderer.policies["BlockValidation"].mod_policy = mod_policy
        return changed
    metadata = etcdraft_pb2.ConfigMetadata.FromString(consensus.metadata)
    del metadata.consenters[:]
    metadata.consenters.extend(raft_consenters(ordering))
    consensus.metadata = _encode(metadata)
    orderer.values["ConsensusType"].value = _encode(consensus)
    return changed


def with_consenter(group: Any, consenter: Consenter) -> Any:
    """Have another node order too; one at the same address is replaced, and keeps its number.

    Parameters:
        group: ConfigGroup of the channel.
        consenter: its `consenter_id` does not count: a new node gets the next one.
    """
    found = channel_consenters(group)
    number = max((node.consenter_id for node in found), default=0) + 1
    kept, replaced = [], False
    for node in found:
        if (node.host, node.port) == (consenter.host, consenter.port):
            kept.append(replace(consenter, consenter_id=node.consenter_id))
            replaced = True
        else:
            kept.append(node)
    return with_consenters(group, kept if replaced else [*kept, replace(consenter, consenter_id=number)])


def without_organization(group: Any, name: str) -> Any:
    """Remove an organization with its ordering nodes.

    Parameters:
        group: ConfigGroup of the channel.
        name: of the organization's group.

    Raises:
        ConfigError: ORGANIZATION_UNKNOWN.
    """
    changed = _copy(group)
    if not any(name in changed.groups[part].groups for part in _PARTS):
        raise ConfigError("ORGANIZATION_UNKNOWN", f"the channel has no organization {name}")
    ordering = changed.groups["Orderer"].groups
    addresses: set[str] = set()
    if name in ordering:
        value = ordering[name].values["Endpoints"].value
        addresses = set(configuration_pb2.OrdererAddresses.FromString(value).addresses)
    kept = [node for node in channel_consenters(changed) if f"{node.host}:{node.port}" not in addresses]
    changed = with_consenters(changed, kept)
    for part in _PARTS:
        if name in changed.groups[part].groups:
            del changed.groups[part].groups[name]
    return changed


def _copy(group: Any) -> Any:
    copied = configtx_pb2.ConfigGroup()
    copied.CopyFrom(group)
    return copied


def _encode(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized
