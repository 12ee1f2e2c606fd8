"""The update that leads from one configuration to another.

Source: Fabric ``internal/configtxlator/update/update.go``, whose result for the same input this is.
"""

from typing import Any

from fabric_protos.common import configtx_pb2

from fabric_protocol.errors import ConfigError

_MEMBERS = ("groups", "values", "policies")


def compute_update(channel_id: str, original: Any, updated: Any) -> Any:
    """What has to be read and written to make one tree of the other.

    Parameters:
        channel_id: name of the channel.
        original: ConfigGroup in force.
        updated: ConfigGroup that is wanted; its version numbers are not looked at.

    Returns:
        ConfigUpdate, to be serialized and signed (`config_signing`).

    Raises:
        ConfigError: CONFIG_UNCHANGED.
    """
    update = configtx_pb2.ConfigUpdate(channel_id=channel_id)
    update.read_set.SetInParent()
    if not _compare(original, updated, update.read_set, update.write_set):
        raise ConfigError("CONFIG_UNCHANGED", "no differences detected between original and updated config")
    return update


def _compare(original: Any, updated: Any, read_set: Any, write_set: Any) -> bool:
    """Fill the two sets for one group; whether anything in or below it changes."""
    read_set.version = write_set.version = original.version
    has_changes = _changed_groups(original, updated, read_set, write_set)
    for members in ("values", "policies"):
        has_changes |= _changed_leaves(members, original, updated, write_set)
    if not _is_other_group(original, updated):
        return has_changes
    # A group that gains or loses a member is written whole, so it names those that stay as they are.
    for members in _MEMBERS:
        before, after = getattr(original, members), getattr(updated, members)
        for name in before:
            if name in after and name not in getattr(write_set, members):
                version = before[name].version
                getattr(read_set, members)[name].version = version
                getattr(write_set, members)[name].version = version
    write_set.version = original.version + 1
    write_set.mod_policy = updated.mod_policy
    return True


def _changed_groups(original: Any, updated: Any, read_set: Any, write_set: Any) -> bool:
    has_changes = False
    for name in updated.groups:
        if name not in original.groups:
            _add_group(updated.groups[name], write_set.groups[name])
            has_changes = True
            continue
        read, write = configtx_pb2.ConfigGroup(), configtx_pb2.ConfigGroup()
        if _compare(original.groups[name], updated.groups[name], read, write):
            read_set.groups[name].CopyFrom(read)
            write_set.groups[name].CopyFrom(write)
            has_changes = True
    return has_changes


def _changed_leaves(members: str, original: Any, updated: Any, write_set: Any) -> bool:
    before, after, written = (getattr(group, members) for group in (original, updated, write_set))
    has_changes = False
    for name in after:
        if name in before and _content(before[name]) == _content(after[name]):
            continue
        written[name].CopyFrom(after[name])
        written[name].version = before[name].version + 1 if name in before else 0
        has_changes = True
    return has_changes


def _add_group(group: Any, written: Any) -> None:
    """Write a new group: like everything new, it and all in it begin at version 0."""
    empty = configtx_pb2.ConfigGroup()
    _compare(empty, group, configtx_pb2.ConfigGroup(), written)
    written.version = 0
    written.mod_policy = group.mod_policy


def _is_other_group(original: Any, updated: Any) -> bool:
    return bool(
        original.mod_policy != updated.mod_policy
        or any(set(getattr(original, members)) != set(getattr(updated, members)) for members in _MEMBERS)
    )


def _content(element: Any) -> Any:
    plain = type(element)()
    plain.CopyFrom(element)
    plain.version = 0
    return plain
