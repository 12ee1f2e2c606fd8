"""A channel's configuration tree as a flat set of elements, and back.

Elements go by the paths that Fabric's messages show, e.g. ``[Value]  /Channel/Orderer/BatchSize``.

Source: Fabric ``common/configtx/configmap.go``, ``validator.go · validateConfigID``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fabric_protos.common import configtx_pb2

from fabric_protocol.errors import ConfigError

ROOT: Final = "Channel"

_GROUP: Final = "[Group]  "
_VALUE: Final = "[Value]  "
_POLICY: Final = "[Policy] "
_KEY: Final = re.compile(r"[a-zA-Z0-9.-]{1,249}")
_ILLEGAL: Final = frozenset({".", ".."})
_ORDERER_CAPABILITIES: Final = f"{_VALUE}/{ROOT}/Orderer/Capabilities"
_FALLBACK_MOD_POLICY: Final = "Admins"


@dataclass(frozen=True, slots=True)
class ConfigElement:
    """A group, value or policy of the tree.

    Parameters:
        group_path: names from the root to the group whose policies a relative mod_policy means: the group
            itself, or the one that holds the value or policy.
        message: ConfigGroup, ConfigValue or ConfigPolicy; each has `version` and `mod_policy`.
    """

    group_path: tuple[str, ...]
    message: Any


def config_elements(root: Any) -> dict[str, ConfigElement]:
    """All elements of a tree, by path.

    Parameters:
        root: ConfigGroup of the channel.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID, for a name that no element may have.
    """
    return dict(_elements((ROOT,), root))


def config_tree(elements: Mapping[str, ConfigElement]) -> Any:
    """The tree (ConfigGroup) that elements make: each group names its members, which are then looked up.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID, for a member that is missing.
    """
    return _tree(f"/{ROOT}", elements, names_missing_policies=_ORDERER_CAPABILITIES in elements)


def check_policy_path(name: str) -> str | None:
    """What is wrong with a mod_policy as a name or path of a policy; None if nothing is."""
    if not name:
        return "mod_policy not set"
    for position, part in enumerate(name.removeprefix("/").split("/")):
        problem = _name_problem(part)
        if problem:
            return f"path element at {position} is invalid: {problem}"
    return None


def _elements(path: tuple[str, ...], group: Any) -> Iterator[tuple[str, ConfigElement]]:
    problem = _name_problem(path[-1])
    if problem:
        raise _invalid(f"illegal characters in key: {_GROUP}: {problem}")
    where = "/" + "/".join(path)
    yield _GROUP + where, ConfigElement(path, group)
    for name in sorted(group.groups):
        yield from _elements((*path, name), group.groups[name])
    for prefix, members in ((_VALUE, group.values), (_POLICY, group.policies)):
        for name in sorted(members):
            problem = _name_problem(name)
            if problem:
                raise _invalid(f"illegal characters in key: {prefix}: {problem}")
            yield f"{prefix}{where}/{name}", ConfigElement(path, members[name])


def _tree(path: str, elements: Mapping[str, ConfigElement], *, names_missing_policies: bool) -> Any:
    named = _member(elements, _GROUP + path)
    group = configtx_pb2.ConfigGroup()
    group.CopyFrom(named)
    for name in named.groups:
        member = _tree(f"{path}/{name}", elements, names_missing_policies=names_missing_policies)
        group.groups[name].CopyFrom(member)
    for name in named.values:
        group.values[name].CopyFrom(_member(elements, f"{_VALUE}{path}/{name}"))
    for name in named.policies:
        group.policies[name].CopyFrom(_member(elements, f"{_POLICY}{path}/{name}"))
    if names_missing_policies:
        # Channels of Fabric 1.0 have elements that nobody may change; every update since repairs them.
        for element in (group, *group.values.values(), *group.policies.values()):
            element.mod_policy = element.mod_policy or _FALLBACK_MOD_POLICY
    return group


def _member(elements: Mapping[str, ConfigElement], path: str) -> Any:
    if path not in elements:
        raise _invalid(f"missing element at path: {path}")
    return elements[path].message


def _name_problem(name: str) -> str | None:
    if _KEY.fullmatch(name) and name not in _ILLEGAL:
        return None
    return f"config ID {name[:249]!r}: expected 1 to 249 letters, digits, '.', '-', and not '.' or '..'"


def _invalid(what: str) -> ConfigError:
    return ConfigError("CONFIG_UPDATE_INVALID", what)
