"""Reading a channel's configuration: its organizations, policies and ordering.

Source: fabric-behaviour §11 (`common/channelconfig`, `common/policies/policy.go`). A configuration that a
node would refuse is refused here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.consensus_metadata import read_consenters
from fabric_protocol.durations import parse_go_duration
from fabric_protocol.errors import ConfigError, PolicyError
from fabric_protocol.msp import Msp, MspManager
from fabric_protocol.ordering_config import Consenter
from fabric_protocol.policies import (
    ImplicitMetaPolicy,
    Policy,
    PolicyManager,
    SignaturePolicy,
    parse_signature_policy,
)

_KNOWN_CAPABILITIES: Final = {
    "Channel": frozenset({"V1_1", "V1_3", "V1_4_2", "V1_4_3", "V2_0", "V3_0"}),
    "Orderer": frozenset({"V1_1", "V1_4_2", "V2_0"}),
    "Application": frozenset({"V1_1", "V1_2", "V1_3", "V1_4_2", "V2_0", "V2_5"}),
}
_ED25519_CAPABILITY: Final = "V3_0"
_BFT_CAPABILITY: Final = "V3_0"


class ChannelOrganization(NamedTuple):
    """An organization of the application part: its group's name and its MSP's id."""

    name: str
    msp_id: str


@dataclass(frozen=True)
class ChannelConfig:
    """A channel's configuration at one sequence number.

    Parameters:
        channel_id: name of the channel.
        sequence: number of changes since the genesis block.
        msps: of all organizations.
        policies: of the whole tree, rooted at "/Channel".
        organizations: of the application part, sorted by group name.
        orderer_organizations: of the ordering part, sorted by group name.
        orderer_endpoints: MSP id → "host:port" of its ordering nodes.
        anchor_peers: MSP id → "host:port".
        consensus_type: "etcdraft" or "BFT".
        consenters: the ordering nodes; with Raft without MSP id and identity.
        is_in_maintenance: whether the type of consensus is being changed: no transactions are ordered then.
        max_message_count: transactions at which a block is cut.
        absolute_max_bytes: largest transaction accepted.
        preferred_max_bytes: size at which Raft cuts a block.
        batch_timeout: time after which Raft cuts a block.
        capabilities: "Channel", "Orderer", "Application" → names.
        acls: resource → policy name, where the channel overrides Fabric's defaults.
        group: the ConfigGroup that was read.
    """

    channel_id: str
    sequence: int
    msps: MspManager
    policies: PolicyManager
    organizations: tuple[ChannelOrganization, ...]
    orderer_organizations: tuple[ChannelOrganization, ...]
    orderer_endpoints: Mapping[str, tuple[str, ...]]
    anchor_peers: Mapping[str, tuple[str, ...]]
    consensus_type: str
    consenters: tuple[Consenter, ...]
    is_in_maintenance: bool
    max_message_count: int
    absolute_max_bytes: int
    preferred_max_bytes: int
    batch_timeout: timedelta
    capabilities: Mapping[str, frozenset[str]]
    acls: Mapping[str, str]
    group: Any

    @classmethod
    def from_block(cls, block: Any) -> "ChannelConfig":
        """Read a configuration block (common.Block), whose only entry is a configuration.

        Raises:
            ConfigError: CHANNEL_CONFIG_INVALID, MSP_CONFIG_INVALID, …
        """
        if len(block.data.data) != 1:
            raise _invalid(f"a configuration block has one entry, got {len(block.data.data)}")
        return cls.from_envelope(block.data.data[0])

    @classmethod
    def from_envelope(cls, data: bytes) -> "ChannelConfig":
        """Read M(Envelope) of type CONFIG.

        Raises:
            ConfigError: as `from_block`.
        """
        try:
            payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(data).payload)
            header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
            if header.type != common_pb2.HeaderType.CONFIG:
                raise _invalid(f"expected an envelope of type CONFIG (1), got type {header.type}")
            config = configtx_pb2.ConfigEnvelope.FromString(payload.data).config
        except DecodeError:
            raise _invalid("the configuration cannot be read") from None
        return cls.from_config(header.channel_id, config)

    @classmethod
    def from_config(cls, channel_id: str, config: Any) -> "ChannelConfig":
        """Read a Config message of a channel.

        Raises:
            ConfigError: as `from_block`.
        """
        try:
            return _Reader(config.channel_group).read(channel_id, config.sequence)
        except DecodeError:
            raise _invalid("a value of the configuration cannot be read") from None
        except PolicyError as error:
            raise _invalid(str(error)) from error

    def has_capability(self, part: str, name: str) -> bool:
        """Whether a part ("Channel", "Orderer", "Application") has a capability ("V2_5")."""
        return name in self.capabilities.get(part, frozenset())

    def organization_name(self, msp_id: str) -> str | None:
        """The group name of an application organization, by MSP id."""
        return next((item.name for item in self.organizations if item.msp_id == msp_id), None)


class _Reader:
    """Reads one tree; refuses what a node would."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.application = _child(root, "Application")
        self.orderer = _child(root, "Orderer")
        self.capabilities = {
            part: _capabilities(part, group)
            for part, group in (
                ("Channel", root),
                ("Orderer", self.orderer),
                ("Application", self.application),
            )
        }
        self.msp_configs: dict[str, Any] = {}
        self.msps: dict[str, Msp] = {}

    def read(self, channel_id: str, sequence: int) -> ChannelConfig:
        if "Capabilities" not in self.orderer.values and any(
            "Capabilities" in group.values for group in (self.root, self.application)
        ):
            raise _invalid("cannot enable channel or application capabilities without orderer support first")
        organizations = self._organizations(self.application)
        orderers = self._organizations(self.orderer)
        manager = MspManager(self.msps.values())
        batch = _required(self.orderer, "BatchSize", orderer_pb2.BatchSize)
        _check_batch_size(batch)
        consensus = _required(self.orderer, "ConsensusType", orderer_pb2.ConsensusType)
        mapping = self.orderer.values["Orderers"].value if "Orderers" in self.orderer.values else None
        acls = _optional(self.application, "ACLs", peer_pb2.ACLs)
        timeout = _required(self.orderer, "BatchTimeout", orderer_pb2.BatchTimeout).timeout
        return ChannelConfig(
            channel_id=channel_id,
            sequence=sequence,
            msps=manager,
            policies=_policy_manager("/Channel", self.root, manager),
            organizations=organizations,
            orderer_organizations=orderers,
            orderer_endpoints=self._endpoints(orderers),
            anchor_peers=self._anchor_peers(organizations),
            consensus_type=consensus.type,
            consenters=read_consenters(consensus.type, consensus.metadata, mapping),
            is_in_maintenance=consensus.state == orderer_pb2.ConsensusType.STATE_MAINTENANCE,
            max_message_count=batch.max_message_count,
            absolute_max_bytes=batch.absolute_max_bytes,
            preferred_max_bytes=batch.preferred_max_bytes,
            batch_timeout=_batch_timeout(timeout),
            capabilities=self.capabilities,
            acls={name: resource.policy_ref for name, resource in acls.acls.items()} if acls else {},
            group=self.root,
        )

    def _organizations(self, part: Any) -> tuple[ChannelOrganization, ...]:
        found = []
        for name in sorted(part.groups):
            config = _required(part.groups[name], "MSP", msp_config_pb2.MSPConfig)
            msp = self._msp(config)
            found.append(ChannelOrganization(name, msp.msp_id))
        if len({item.msp_id for item in found}) != len(found):
            raise _invalid("two organizations of one part have the same MSP id")
        return tuple(found)

    def _msp(self, config: Any) -> Msp:
        ed25519 = _ED25519_CAPABILITY in self.capabilities["Channel"]
        msp = Msp.from_config(config, accepts_ed25519=ed25519)
        known = self.msp_configs.setdefault(msp.msp_id, config)
        if known != config:
            raise _invalid(f"MSP {msp.msp_id} has two different configurations")
        return self.msps.setdefault(msp.msp_id, msp)

    def _endpoints(self, organizations: tuple[ChannelOrganization, ...]) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, msp_id in organizations:
            value = _optional(self.orderer.groups[name], "Endpoints", configuration_pb2.OrdererAddresses)
            found[msp_id] = tuple(value.addresses) if value else ()
        without = " ".join(name for name, msp_id in organizations if not found[msp_id])
        if without and _BFT_CAPABILITY in self.capabilities["Channel"]:
            raise _ordering_invalid(f"some orderer organizations endpoints are empty: [{without}]")
        return found

    def _anchor_peers(self, organizations: tuple[ChannelOrganization, ...]) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, msp_id in organizations:
            value = _optional(self.application.groups[name], "AnchorPeers", peer_pb2.AnchorPeers)
            peers = value.anchor_peers if value else ()
            found[msp_id] = tuple(f"{peer.host}:{peer.port}" for peer in peers)
        return found


def _policy_manager(path: str, group: Any, msps: MspManager) -> PolicyManager:
    groups = {
        name: _policy_manager(f"{path}/{name}", group.groups[name], msps) for name in sorted(group.groups)
    }
    policies = {}
    for name in sorted(group.policies):
        try:
            policies[name] = _policy(group.policies[name].policy, groups, msps)
        except PolicyError as error:
            raise _invalid(f"policy {path}/{name}: {error}") from error
    return PolicyManager(path, policies, groups)


def _policy(policy: Any, groups: Mapping[str, PolicyManager], msps: MspManager) -> Policy:
    if policy.type == policies_pb2.Policy.SIGNATURE:
        return SignaturePolicy(parse_signature_policy(policy.value), msps)
    if policy.type == policies_pb2.Policy.IMPLICIT_META:
        content = policies_pb2.ImplicitMetaPolicy.FromString(policy.value)
        children = [child.find(content.sub_policy) for child in groups.values()]
        return ImplicitMetaPolicy(children, content.rule, msps, content.sub_policy)
    raise PolicyError(
        "POLICY_INVALID", f"expected a SIGNATURE or IMPLICIT_META policy, got type {policy.type}"
    )


def _capabilities(part: str, group: Any) -> frozenset[str]:
    value = _optional(group, "Capabilities", configuration_pb2.Capabilities)
    names = frozenset(value.capabilities) if value else frozenset()
    unknown = sorted(names - _KNOWN_CAPABILITIES[part])
    if unknown:
        raise ConfigError(
            "CAPABILITY_UNKNOWN", f"{part} needs the capability {unknown[0]!r}, which is not supported"
        )
    return names


def _check_batch_size(size: Any) -> None:
    for name in ("max_message_count", "absolute_max_bytes", "preferred_max_bytes"):
        if not getattr(size, name):
            what = name.replace("_", " ")
            raise _ordering_invalid(f"Attempted to set the batch size {what} to an invalid value: 0")
    if size.preferred_max_bytes > size.absolute_max_bytes:
        raise _ordering_invalid(
            f"Attempted to set the batch size preferred max bytes ({size.preferred_max_bytes}) greater than "
            f"the absolute max bytes ({size.absolute_max_bytes})."
        )


def _batch_timeout(text: str) -> timedelta:
    what = "Attempted to set the batch timeout to a"
    try:
        timeout = parse_go_duration(text)
    except ConfigError as error:
        raise _ordering_invalid(f"{what} invalid value: {error.message}") from error
    if timeout <= timedelta(0):
        raise _ordering_invalid(f"{what} non-positive value: {text}")
    return timeout


def _ordering_invalid(what: str) -> ConfigError:
    text = "initializing channelconfig failed: could not create channel Orderer sub-group config"
    return _invalid(f"{text}: {what}")


def _child(group: Any, name: str) -> Any:
    if name not in group.groups:
        raise _invalid(f"the configuration has no group {name}")
    return group.groups[name]


def _required(group: Any, key: str, message_type: Any) -> Any:
    value = _optional(group, key, message_type)
    if value is None:
        raise _invalid(f"the configuration lacks the value {key}")
    return value


def _optional(group: Any, key: str, message_type: Any) -> Any:
    # Reading a missing key of a protobuf map would add it.
    return message_type.FromString(group.values[key].value) if key in group.values else None


def _invalid(what: str) -> ConfigError:
    return ConfigError("CHANNEL_CONFIG_INVALID", what)
