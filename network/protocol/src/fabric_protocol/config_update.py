"""Changing a channel's configuration: who may, what results, and whether a configuration is such a result.

Source: fabric-behaviour §11.4 (`common/configtx/{update,validator}.go`,
`common/channelconfig/bundle.go · ValidateNew`). Messages are Fabric's, so that its clients know them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.config_elements import (
    ROOT,
    ConfigElement,
    check_policy_path,
    config_elements,
    config_tree,
)
from fabric_protocol.errors import ConfigError, PolicyError
from fabric_protocol.identities import Identity
from fabric_protocol.policies import Policy, SignedData, refusal_text, signing_identities

__all__ = [
    "apply_config",
    "authorize_update",
    "preview_update",
    "propose_config",
    "read_update_envelope",
    "signed_data",
]

_Elements = Mapping[str, ConfigElement]
_MIGRATING_ORDERERS: Final = ("V1_4_2", "V2_0")


def propose_config(current: ChannelConfig, update: Any) -> tuple[Any, ChannelConfig]:
    """What an ordering node makes of an update: the configuration that comes next.

    Parameters:
        current: the configuration in force.
        update: common.Envelope of type CONFIG_UPDATE.

    Returns:
        ConfigEnvelope with the whole new configuration and the update as `last_update`, and the new
        configuration read.

    Raises:
        ConfigError: as `authorize_update`; CHANNEL_CONFIG_INVALID, … if nodes would refuse the result.
    """
    content = read_update_envelope(update)
    try:
        group = authorize_update(current, content)
    except ConfigError as error:
        raise ConfigError(error.code, f"error authorizing update: {error}") from error
    config = configtx_pb2.Config(sequence=current.sequence + 1, channel_group=group)
    return (
        configtx_pb2.ConfigEnvelope(config=config, last_update=update),
        _successor(current, config),
    )


def apply_config(current: ChannelConfig, envelope: Any) -> ChannelConfig:
    """Check a configuration that orderers put into a block, and read it.

    Its authority are the signatures of its last update, not the orderers': the update is authorized again
    against the configuration in force, and must give this very configuration, compared as messages.

    Parameters:
        current: the configuration in force before the block.
        envelope: ConfigEnvelope.

    Raises:
        ConfigError: CONFIG_SEQUENCE_WRONG, CONFIG_RESULT_WRONG, and as `propose_config`.
    """
    if not envelope.HasField("config"):
        raise ConfigError("CONFIG_UPDATE_INVALID", "config envelope has nil config")
    sequence = envelope.config.sequence
    if sequence != current.sequence + 1:
        raise ConfigError(
            "CONFIG_SEQUENCE_WRONG",
            f"config currently at sequence {current.sequence}, cannot validate config at sequence {sequence}",
        )
    group = authorize_update(current, read_update_envelope(envelope.last_update))
    if group != envelope.config.channel_group:
        raise ConfigError(
            "CONFIG_RESULT_WRONG", "ConfigEnvelope LastUpdate did not produce the supplied config result"
        )
    return _successor(current, envelope.config)


def authorize_update(current: ChannelConfig, envelope: Any) -> Any:
    """Check an update's versions and signatures, and compute the tree that it gives.

    Parameters:
        current: the configuration in force.
        envelope: ConfigUpdateEnvelope.

    Returns:
        The whole new ConfigGroup.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID, unreadable, for another channel, or without effect;
            CONFIG_VERSION_CONFLICT, made from another configuration than the one in force;
            CONFIG_POLICY_UNSATISFIED, signatures missing.
    """
    existing, changes = _read_changes(current, envelope)
    signers = signing_identities(signed_data(envelope), current.msps)
    try:
        _check_changes(current, existing, changes, signers)
    except ConfigError as error:
        raise ConfigError(error.code, f"error validating DeltaSet: {error}") from error
    return config_tree({**existing, **changes})


def preview_update(current: ChannelConfig, envelope: Any) -> tuple[Any, Mapping[str, Policy]]:
    """What an update would give if all who have to sign it had, and what has to be satisfied for that.

    Parameters:
        current: the configuration in force.
        envelope: ConfigUpdateEnvelope.

    Returns:
        The whole new ConfigGroup, and the policies of all changed elements by their absolute paths.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID, CONFIG_VERSION_CONFLICT; CONFIG_POLICY_UNSATISFIED, a policy that
            nobody can satisfy; CHANNEL_CONFIG_INVALID if nodes would refuse the result.
    """
    existing, changes = _read_changes(current, envelope)
    policies = {
        _policy_path(existing[path]): _policy(current, path, existing[path])
        for path in _checked_versions(existing, changes)
    }
    group = config_tree({**existing, **changes})
    _successor(current, configtx_pb2.Config(sequence=current.sequence + 1, channel_group=group))
    return group, policies


def _read_changes(current: ChannelConfig, envelope: Any) -> tuple[_Elements, _Elements]:
    """All elements in force, and those that an update writes anew."""
    update = _parsed(configtx_pb2.ConfigUpdate, envelope.config_update)
    if update.channel_id != current.channel_id:
        raise _invalid(
            f"ConfigUpdate for channel '{update.channel_id}' but envelope for channel '{current.channel_id}'"
        )
    existing = config_elements(current.group)
    read_set = config_elements(update.read_set) if update.HasField("read_set") else {}
    _check_read_set(existing, read_set)
    write_set = config_elements(update.write_set) if update.HasField("write_set") else {}
    changes = {
        path: element
        for path, element in write_set.items()
        if path not in read_set or read_set[path].message.version != element.message.version
    }
    return existing, changes


def _check_read_set(existing: _Elements, read_set: _Elements) -> None:
    for path, element in read_set.items():
        if path not in existing:
            raise _conflict(
                "error validating ReadSet: existing config does not contain element for "
                f"{path} but was in the read set"
            )
        version, expected = existing[path].message.version, element.message.version
        if version != expected:
            raise _conflict(
                f"error validating ReadSet: proposed update requires that key {path} be at version "
                f"{expected}, but it is currently at version {version}"
            )


def _check_changes(
    current: ChannelConfig, existing: _Elements, changes: _Elements, signers: Sequence[Identity]
) -> None:
    for path in _checked_versions(existing, changes):
        policy = _policy(current, path, existing[path])
        if not policy.evaluate_identities(signers):
            raise ConfigError(
                "CONFIG_POLICY_UNSATISFIED",
                f"policy for {path} not satisfied: {refusal_text(policy, signers)}",
            )


def _checked_versions(existing: _Elements, changes: _Elements) -> Iterator[str]:
    """Paths of the changed elements that exist, each once what it says is looked at."""
    if not changes:
        raise _invalid("delta set was empty -- update would have no effect")
    for path, element in changes.items():
        problem = check_policy_path(element.message.mod_policy)
        if problem:
            raise _invalid(f"invalid mod_policy for element {path}: {problem}")
        version = element.message.version
        if path not in existing:
            if version:
                raise _conflict(f"attempted to set key {path} to version {version}, but key does not exist")
            # Its parent changes by getting it, and it is the parent's policy that allows it.
            continue
        before = existing[path].message.version
        if version != before + 1:
            raise _conflict(f"attempt to set key {path} to version {version}, but key is at version {before}")
        yield path


def _policy_path(element: ConfigElement) -> str:
    name = element.message.mod_policy
    return name if name.startswith("/") else "/".join(("", *element.group_path, name))


def _policy(current: ChannelConfig, path: str, element: ConfigElement) -> Policy:
    """The policy that an element in force names for its own change."""
    name, manager = element.message.mod_policy, current.policies
    if not name.startswith("/"):
        for group in element.group_path[1:]:
            manager = manager.groups[group]
    try:
        return manager.policy(name)
    except PolicyError as error:
        raise ConfigError(
            "CONFIG_POLICY_UNSATISFIED", f"unexpected missing policy {name} for item {path}"
        ) from error


def signed_data(envelope: Any) -> list[SignedData]:
    """The signatures of a ConfigUpdateEnvelope.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID.
    """
    signed = []
    for signature in envelope.signatures:
        header = _parsed(common_pb2.SignatureHeader, signature.signature_header)
        data = signature.signature_header + envelope.config_update
        signed.append(SignedData(data, header.creator, signature.signature))
    return signed


def _successor(current: ChannelConfig, config: Any) -> ChannelConfig:
    """Read a configuration that follows another; some things may never change."""
    found = ChannelConfig.from_config(current.channel_id, config)
    migrates = any(current.has_capability("Orderer", name) for name in _MIGRATING_ORDERERS)
    if not migrates and found.consensus_type != current.consensus_type:
        raise _refused(
            f"attempted to change consensus type from {current.consensus_type} to {found.consensus_type}"
        )
    for part, before, after in (
        ("orderer", current.orderer_organizations, found.orderer_organizations),
        ("application", current.organizations, found.organizations),
    ):
        msp_ids = dict(after)
        for name, msp_id in before:
            if msp_ids.get(name, msp_id) != msp_id:
                raise _refused(
                    f"{part} org {name} attempted to change MSP ID from {msp_id} to {msp_ids[name]}"
                )
    if found.has_capability(ROOT, "V3_0") and not current.has_capability(ROOT, "V3_0"):
        for name, msp_id in found.orderer_organizations:
            if not found.orderer_endpoints[msp_id]:
                raise _refused(f"illegal orderer config update detected: endpoints of org {name} are missing")
    return found


def read_update_envelope(envelope: Any) -> Any:
    """The ConfigUpdateEnvelope in a common.Envelope of type CONFIG_UPDATE.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID.
    """
    payload = _parsed(common_pb2.Payload, envelope.payload)
    if not payload.HasField("header"):
        raise _invalid("error converting envelope to config update: envelope must have a Header")
    header = _parsed(common_pb2.ChannelHeader, payload.header.channel_header)
    if header.type != common_pb2.CONFIG_UPDATE:
        raise _invalid(
            f"error converting envelope to config update: invalid type {header.type}, expected CONFIG_UPDATE"
        )
    return _parsed(configtx_pb2.ConfigUpdateEnvelope, payload.data)


def _parsed(kind: Any, data: bytes) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise _invalid(f"{len(data)} bytes are not a {kind.DESCRIPTOR.name} message") from error


def _invalid(what: str) -> ConfigError:
    return ConfigError("CONFIG_UPDATE_INVALID", what)


def _conflict(what: str) -> ConfigError:
    return ConfigError("CONFIG_VERSION_CONFLICT", what)


def _refused(what: str) -> ConfigError:
    return ConfigError("CHANNEL_CONFIG_INVALID", what)
