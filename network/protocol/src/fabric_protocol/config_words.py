"""What differs between two configurations of a channel, in sentences that leave nothing out.

Source: fabric-behaviour §11.2.
"""

from collections.abc import Iterator
from typing import Any, Final

from fabric_protos.common import configtx_pb2

from fabric_protocol.channel_policies import add_orderer_organization_policies, add_organization_policies
from fabric_protocol.config_facts import Facts, digest_words, policy_facts, value_facts
from fabric_protocol.consensus_metadata import bft_block_validation
from fabric_protocol.errors import ProtocolError
from fabric_protocol.membership_editing import channel_consenters
from fabric_protocol.ordering_config import BFT, OrderingConfig

_PLACES: Final = {
    (): "channel",
    ("Application",): "members",
    ("Orderer",): "ordering",
}


def config_changes(before: Any, after: Any) -> list[str]:
    """Every difference of two trees (ConfigGroup of the channel), a sentence each; versions do not count.

    Organizations that join come with all that is said of them, and with their policies where these are not
    the usual ones by role. Characters that a terminal would act on are escaped.
    """
    return [_escaped(line) for line in _Comparison(after).groups((), before, after)]


class _Comparison:
    def __init__(self, root: Any) -> None:
        self._root = root

    def groups(self, path: tuple[str, ...], before: Any, after: Any) -> Iterator[str]:
        """What is different in a group and below it."""
        where = _place(path)
        yield from _who_may_change(where, "it", before, after)
        for name in sorted({*before.groups, *after.groups}):
            if name not in after.groups:
                yield f"{where}: {name} leaves"
            elif name not in before.groups:
                yield f"{where}: {name} joins"
                yield from self.groups((*path, name), _usual(path, after.groups[name]), after.groups[name])
            else:
                yield from self.groups((*path, name), before.groups[name], after.groups[name])
        for name in sorted({*before.values, *after.values}):
            yield from _value(where, name, before.values, after.values)
        for name in sorted({*before.policies, *after.policies}):
            yield from self._policy(path, name, before.policies, after.policies)

    def _policy(self, path: tuple[str, ...], name: str, before: Any, after: Any) -> Iterator[str]:
        where, what = _place(path), f"policy {name!r}"
        if name not in after:
            yield f"{where}: {what} is removed"
            return
        old = before[name] if name in before else configtx_pb2.ConfigPolicy()
        if name not in before or old.policy != after[name].policy:
            if path == ("Orderer",) and name == "BlockValidation" and self._follows_nodes(after[name].policy):
                yield f"{where}: {what} follows the ordering nodes"
            else:
                now = policy_facts(after[name].policy)["asks for"]
                was = f", no longer {policy_facts(old.policy)['asks for']}" if name in before else ""
                yield f"{where}: {what} asks for {now}{was}"
        yield from _who_may_change(where, what, old, after[name], is_new=name not in before)

    def _follows_nodes(self, policy: Any) -> bool:
        try:
            nodes = channel_consenters(self._root)
            wanted = bft_block_validation(OrderingConfig(consensus=BFT, consenters=nodes))
        except (ProtocolError, ValueError):
            return False
        return bool(policy.value == wanted.SerializeToString(deterministic=True))


def _usual(path: tuple[str, ...], group: Any) -> Any:
    """What an organization that joins has anyway: its members' usual policies, and nothing else."""
    usual = configtx_pb2.ConfigGroup(mod_policy="Admins")
    if path not in (("Application",), ("Orderer",)) or "MSP" not in group.values:
        return usual
    msp_id = value_facts("MSP", group.values["MSP"].value).get("MSP id", "")
    add = add_organization_policies if path == ("Application",) else add_orderer_organization_policies
    try:
        add(usual, msp_id)
    except ProtocolError:
        return usual
    return usual


def _value(where: str, name: str, before: Any, after: Any) -> Iterator[str]:
    if name not in after:
        yield f"{where}: {name} is removed"
        return
    old = before[name] if name in before else configtx_pb2.ConfigValue()
    if name not in before or old.value != after[name].value:
        was = value_facts(name, old.value) if name in before else {}
        lines = list(_differences(was, value_facts(name, after[name].value)))
        if not lines:
            lines = [f"the same in words, in other bytes: {digest_words(after[name].value)}"]
        yield from (f"{where}: {name}: {line}" for line in lines)
    yield from _who_may_change(where, name, old, after[name], is_new=name not in before)


def _differences(before: Facts, after: Facts) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"no longer {name}" + (f" ({before[name]})" if before[name] != "is named" else "")
        elif name not in before:
            yield f"{name}" + (f": {after[name]}" if after[name] != "is named" else "")
        elif before[name] != after[name]:
            yield f"{name}: {after[name]}, no longer {before[name]}"


def _who_may_change(where: str, what: str, before: Any, after: Any, *, is_new: bool = False) -> Iterator[str]:
    usual = "Admins" if is_new else before.mod_policy
    if after.mod_policy != usual:
        yield f"{where}: who may change {what} is up to {after.mod_policy!r}, no longer to {usual!r}"


def _escaped(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def _place(path: tuple[str, ...]) -> str:
    if path in _PLACES:
        return _PLACES[path]
    part, *rest = path
    names = {"Application": "as a member", "Orderer": "in ordering"}
    return f"{'/'.join(rest)} {names[part]}" if part in names and rest else "/".join(path)
