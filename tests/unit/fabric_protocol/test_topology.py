import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.errors import ConfigError, TopologyError
from fabric_protocol.ordering_config import Consenter, OrderingConfig
from fabric_protocol.policy_building import application_policy
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

TOPOLOGY = Topology(
    channel="consentry",
    organizations=(Organization("north", "NorthMSP", "hospital"), Organization("law", "LawMSP", "regulator")),
    chaincode=ChaincodeDefinition(
        name="consentry",
        policy="OutOf(2, 'LawMSP.peer', 'NorthMSP.peer')",
        command=("python", "-m", "consentry_contracts"),
        collections=(
            CollectionDefinition(
                "custodian-NorthMSP", "OR('NorthMSP.member')", endorsement="OR('NorthMSP.peer')"
            ),
            CollectionDefinition("shared", "OR('NorthMSP.member','LawMSP.member')", member_only_read=False),
        ),
    ),
    ordering=OrderingConfig(
        max_message_count=10, consenters=(Consenter("h", 1, b"c", b"s", 2, "NorthMSP", b"i"),)
    ),
)


def test_a_topology_reads_back_from_its_file() -> None:
    assert Topology.from_json(TOPOLOGY.to_json()) == TOPOLOGY
    assert Topology.from_dict(TOPOLOGY.to_dict()) == TOPOLOGY
    assert Topology.from_json(TOPOLOGY.to_json().encode()) == TOPOLOGY
    assert TOPOLOGY.to_json().endswith("}\n")


def test_what_may_be_left_out_has_defaults() -> None:
    minimal = Topology.from_dict(
        {
            "channel": "c",
            "organizations": [{"name": "a", "msp_id": "AMSP", "kind": "hospital"}],
            "chaincode": {
                "name": "cc",
                "policy": "/Channel/Application/Endorsement",
                "command": ["run"],
                "collections": [{"name": "x", "members": "OR('AMSP.member')"}],
            },
        }
    )
    assert minimal.ordering == OrderingConfig()
    assert minimal.host == "127.0.0.1"
    assert (minimal.chaincode.version, minimal.chaincode.sequence) == ("1.0", 1)
    assert minimal.chaincode.collections[0].member_only_read
    assert minimal.chaincode.collections[0].member_only_write


def test_policies_become_what_definitions_hold() -> None:
    chaincode = TOPOLOGY.chaincode
    assert chaincode.validation_parameter() == application_policy(chaincode.policy)
    collection = chaincode.collections[0].collection()
    assert collection.endorsement_policy == application_policy("OR('NorthMSP.peer')")
    assert chaincode.collections[1].collection().endorsement_policy is None


def test_organizations_are_found_by_name_and_msp_id() -> None:
    assert TOPOLOGY.organization("law") is TOPOLOGY.organization("LawMSP")
    with pytest.raises(TopologyError, match="known are north, law") as caught:
        TOPOLOGY.organization("south")
    assert caught.value.code == "ORGANIZATION_UNKNOWN"


def changed(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    document = copy.deepcopy(TOPOLOGY.to_dict())
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("channel",), "Upper", "topology.channel"),
        (("channel",), 7, "topology.channel: expected str, got int"),
        (("channel",), None, "'channel' is missing"),
        (("surprise",), 1, "unknown field 'surprise'"),
        (("organizations",), [], "at least one"),
        (("organizations",), {}, "expected list, got dict"),
        (("organizations", 0), "north", "topology.organizations[0]: expected an object, got str"),
        (("organizations", 0, "name"), "law", "the name 'law'"),
        (("organizations", 0, "name"), "../up", "organization.name"),
        (("organizations", 0, "msp_id"), "LawMSP", "the msp_id 'LawMSP'"),
        (("organizations", 0, "msp_id"), "a b", "msp_id"),
        (("organizations", 0, "kind"), "", "kind"),
        (("chaincode", "name"), "-", "chaincode.name"),
        (("chaincode", "version"), "", "chaincode.version"),
        (("chaincode", "sequence"), 0, "chaincode.sequence"),
        (("chaincode", "sequence"), True, "expected int, got bool"),
        (("chaincode", "policy"), "anything", "chaincode.policy"),
        (("chaincode", "command"), [], "chaincode.command"),
        (("chaincode", "command"), [1], "chaincode.command: expected texts"),
        (
            ("chaincode", "collections", 0, "members"),
            "AND('A.member','B.member')",
            "collection custodian-NorthMSP",
        ),
        (("chaincode", "collections", 0, "endorsement"), "x", "collection custodian-NorthMSP"),
        (("chaincode", "collections", 0, "name"), "shared", "the name 'shared'"),
        (("chaincode", "collections", 0, "member_only_read"), "yes", "expected bool, got str"),
        (("ordering", "consensus"), "solo", "not supported"),
        (("ordering", "max_message_count"), 0, "max_message_count"),
        (("ordering", "preferred_max_bytes"), 2**31, "preferred_max_bytes"),
        (("ordering", "batch_timeout"), "soon", "'soon'"),
        (("ordering", "consenters", 0, "port"), 0, "consenters[0].port"),
        (("ordering", "consenters", 0, "identity"), "ü", "certificates are PEM texts"),
        (("ordering", "consenters", 0, "host"), None, "'host' is missing"),
        (("host",), "", "topology.host"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(path: tuple[Any, ...], value: object, named: str) -> None:
    with pytest.raises(TopologyError) as caught:
        Topology.from_dict(changed(path, value))
    assert caught.value.code == "TOPOLOGY_INVALID"
    assert named in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, b"\xff"])
def test_what_is_no_topology_file_is_refused(text: str | bytes) -> None:
    with pytest.raises(TopologyError) as caught:
        Topology.from_json(text)
    assert caught.value.code == "TOPOLOGY_INVALID"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def paths(document: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [path for step, inner in steps for path in [(*prefix, step), *paths(inner, (*prefix, step))]]


@given(path=st.sampled_from(paths(TOPOLOGY.to_dict())), value=VALUES)
def test_any_change_is_read_strictly_or_refused(path: tuple[Any, ...], value: object) -> None:
    document = changed(path, value)
    try:
        outcome: object = Topology.from_dict(document)
    except TopologyError as error:
        outcome = error
    assert isinstance(outcome, TopologyError) or Topology.from_json(json.dumps(outcome.to_dict())) == outcome


@pytest.mark.parametrize(
    "build",
    [
        lambda: OrderingConfig(consensus="kafka"),
        lambda: OrderingConfig(absolute_max_bytes=2**32),
        lambda: OrderingConfig(preferred_max_bytes=2, absolute_max_bytes=1),
        lambda: OrderingConfig(consenters=(Consenter("h", 1, b"", b""), Consenter("i", 2, b"", b""))),
    ],
)
def test_ordering_that_no_channel_accepts_is_refused(build: Callable[[], OrderingConfig]) -> None:
    with pytest.raises(ConfigError) as caught:
        build()
    assert caught.value.code == "ORDERING_INVALID"


def test_records_are_values() -> None:
    assert replace(TOPOLOGY, host="localhost") != TOPOLOGY
    assert hash(TOPOLOGY) == hash(Topology.from_json(TOPOLOGY.to_json()))
