"""Updates computed for any two trees lead from the one to the other."""

from typing import Any

from fabric_protos.common import configtx_pb2, policies_pb2
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_elements import config_elements, config_tree

NAMES = st.sampled_from(["A", "B", "C"])
RULES = st.sampled_from(["Admins", "/Channel/Readers"])


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> Any:
    group = configtx_pb2.ConfigGroup(mod_policy=draw(RULES), version=draw(st.integers(0, 2)))
    for name in draw(st.sets(NAMES)):
        group.values[name].CopyFrom(
            configtx_pb2.ConfigValue(
                version=draw(st.integers(0, 2)), value=draw(st.binary(max_size=1)), mod_policy=draw(RULES)
            )
        )
    for name in draw(st.sets(NAMES)):
        policy = policies_pb2.Policy(type=1, value=draw(st.binary(max_size=1)))
        group.policies[name].CopyFrom(
            configtx_pb2.ConfigPolicy(version=draw(st.integers(0, 2)), policy=policy, mod_policy=draw(RULES))
        )
    for name in draw(st.sets(NAMES)) if depth else ():
        group.groups[name].CopyFrom(draw(trees(depth=depth - 1)))
    return group


def without_versions(group: Any) -> Any:
    copy = configtx_pb2.ConfigGroup()
    copy.CopyFrom(group)
    for element in config_elements(copy).values():
        element.message.version = 0
    return copy


@settings(max_examples=150, deadline=None)
@given(trees(), trees())
def test_the_update_leads_from_one_tree_to_the_other(original: Any, updated: Any) -> None:
    assume(without_versions(original) != without_versions(updated))
    update = compute_update("sample", original, updated)

    before = config_elements(original)
    read, written = config_elements(update.read_set), config_elements(update.write_set)
    assert all(before[path].message.version == element.message.version for path, element in read.items())
    changes = {
        path: element
        for path, element in written.items()
        if path not in read or read[path].message.version != element.message.version
    }
    for path, element in changes.items():
        expected = before[path].message.version + 1 if path in before else 0
        assert element.message.version == expected
    result = config_tree({**before, **changes})
    assert without_versions(result) == without_versions(updated)


@settings(max_examples=60, deadline=None)
@given(trees(), st.binary(max_size=3))
def test_one_changed_value_touches_nothing_else(original: Any, value: bytes) -> None:
    assume("A" in original.values and original.values["A"].value != value)
    updated = configtx_pb2.ConfigGroup()
    updated.CopyFrom(original)
    updated.values["A"].value = value

    update = compute_update("sample", original, updated)
    expected = configtx_pb2.ConfigGroup(version=original.version)
    assert update.read_set == expected
    expected.values["A"].CopyFrom(updated.values["A"])
    expected.values["A"].version += 1
    assert update.write_set == expected


def test_what_the_update_of_a_new_member_says() -> None:
    original = configtx_pb2.ConfigGroup(version=4, mod_policy="Admins")
    original.values["Kept"].CopyFrom(configtx_pb2.ConfigValue(version=2, value=b"v", mod_policy="Admins"))
    updated = configtx_pb2.ConfigGroup()
    updated.CopyFrom(original)
    updated.groups["New"].mod_policy = "Admins"
    updated.groups["New"].version = 7

    update = compute_update("sample", original, updated)
    assert update.read_set.values["Kept"] == configtx_pb2.ConfigValue(version=2)
    assert (update.write_set.version, update.write_set.mod_policy) == (5, "Admins")
    assert update.write_set.values["Kept"] == configtx_pb2.ConfigValue(version=2)
    assert update.write_set.groups["New"] == configtx_pb2.ConfigGroup(mod_policy="Admins")
