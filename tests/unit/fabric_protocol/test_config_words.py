"""Changes of a configuration in words: whatever differs is said, and nothing acts on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fabric_protos.common import configtx_pb2
from fabric_protos.msp import msp_config_pb2
from support.sample_organizations import SampleOrganization

from fabric_protocol.channel_config import (
    ChannelConfig,
    Consenter,
    OrderingConfig,
    OrganizationConfig,
    genesis_block,
)
from fabric_protocol.config_editing import (
    with_anchor_peers,
    with_batch_size,
    with_implicit_policy,
    with_organization,
    with_revocation_list,
    with_signature_policy,
)
from fabric_protocol.config_words import config_changes
from fabric_protocol.errors import ConfigError
from fabric_protocol.membership_editing import with_consenter, without_organization
from fabric_protocol.ordering_config import BFT, RAFT
from fabric_protocol.policy_language import parse_policy

SAMPLES = [SampleOrganization(msp_id) for msp_id in ("RiverMSP", "LakeMSP", "NorthMSP", "HillMSP")]


def organization(number: int) -> OrganizationConfig:
    sample = SAMPLES[number]
    name = sample.msp_id.removesuffix("MSP").lower()
    peer = (f"127.0.0.1:{8050 + number}",)
    return OrganizationConfig(name, sample.msp_id, sample.msp_config(), (f"127.0.0.1:{7050 + number}",), peer)


def node(number: int, consenter_id: int = 0) -> Consenter:
    sample = SAMPLES[number]
    tls = sample.member(name="localhost", server=True, client=True).pem
    identity = sample.member("orderer", name=f"orderer-{number}").pem
    return Consenter("127.0.0.1", 7050 + number, tls, tls, consenter_id, sample.msp_id, identity)


def channel(consensus: str) -> ChannelConfig:
    consenters = tuple(node(number, number + 1) for number in range(3))
    ordering = OrderingConfig(consensus=consensus, consenters=consenters)
    organizations = [organization(number) for number in range(3)]
    start = datetime(2025, 3, 4, tzinfo=UTC)
    return ChannelConfig.from_block(genesis_block("c", organizations, ordering, timestamp=start))


CHANNELS = {consensus: channel(consensus).group for consensus in (RAFT, BFT)}
GROUP = CHANNELS[BFT]


def changed(change: Callable[[Any], None], group: Any = GROUP) -> Any:
    copy = configtx_pb2.ConfigGroup()
    copy.CopyFrom(group)
    change(copy)
    return copy


def test_what_is_the_same_is_no_change() -> None:
    assert config_changes(GROUP, GROUP) == []
    newer = changed(lambda group: setattr(group.values["Capabilities"], "version", 7))
    assert config_changes(GROUP, newer) == []


@pytest.mark.parametrize("consensus", [RAFT, BFT])
def test_an_organization_that_joins_is_named_with_its_roots_and_nodes(consensus: str) -> None:
    before = CHANNELS[consensus]
    lines = config_changes(before, with_consenter(with_organization(before, organization(3)), node(3)))
    text = "\n".join(lines)
    assert "members: hill joins" in lines
    assert "ordering: hill joins" in lines
    assert "hill as a member: MSP: MSP id: HillMSP" in lines
    assert "hill as a member: AnchorPeers: anchor peer 127.0.0.1:8053" in lines
    assert "hill as a member: MSP: root certificate CN=" in text
    assert "ordering node 127.0.0.1:7053: " in text
    # Its policies are the usual ones: what is not unusual is not said.
    assert "hill as a member: policy" not in text
    assert ("ordering: policy 'BlockValidation' follows the ordering nodes" in lines) == (consensus == BFT)


def test_unusual_rules_of_an_organization_that_joins_are_said() -> None:
    def seized(group: Any) -> None:
        stranger = parse_policy("OR('RiverMSP.member')").SerializeToString(deterministic=True)
        group.groups["Application"].groups["hill"].policies["Admins"].policy.value = stranger

    after = changed(seized, with_organization(GROUP, organization(3)))
    (line,) = [item for item in config_changes(GROUP, after) if "policy" in item]
    assert line.startswith("hill as a member: policy 'Admins' asks for OutOf(1, 'RiverMSP.member')")


def test_an_organization_that_leaves_is_named() -> None:
    lines = config_changes(GROUP, without_organization(GROUP, "north"))
    assert {"members: north leaves", "ordering: north leaves"} <= set(lines)
    assert any(
        line.startswith("ordering: Orderers: no longer ordering node 127.0.0.1:7052") for line in lines
    )


@pytest.mark.parametrize("consensus", [RAFT, BFT])
def test_new_certificates_of_an_ordering_node_are_shown_beside_the_old(consensus: str) -> None:
    before = CHANNELS[consensus]
    lines = config_changes(before, with_consenter(before, node(1)))
    assert [line for line in lines if "ordering node 127.0.0.1:7051" in line and "no longer" in line]


def test_settings_policies_and_revocations_are_in_words() -> None:
    revoked = SAMPLES[0].member("client", name="somebody")
    revocations = SAMPLES[0].revocation_list([revoked.certificate])
    cases = {
        "ordering: BatchSize: max message count: 7": with_batch_size(GROUP, max_message_count=7),
        "members: policy 'Admins' asks for any one of the members' 'Admins', no longer a majority": (
            with_implicit_policy(GROUP, "/Channel/Application/Admins", "ANY Admins")
        ),
        "channel: policy 'Admins' asks for OutOf(1, 'RiverMSP.admin')": with_signature_policy(
            GROUP, "/Channel/Admins", parse_policy("OR('RiverMSP.admin')")
        ),
        "river as a member: AnchorPeers: anchor peer far.example:1": with_anchor_peers(
            GROUP, "river", ["far.example:1"]
        ),
        f"serial numbers {revoked.certificate.serial_number:x}": with_revocation_list(
            GROUP, "RiverMSP", revocations
        ),
    }
    for expected, after in cases.items():
        assert any(expected in line for line in config_changes(GROUP, after)), expected


def mutations(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """One change of each thing in a tree: other bytes, another who may change it, gone."""

    def at(root: Any) -> Any:
        for name in path:
            root = root.groups[name]
        return root

    def set_policy(root: Any) -> None:
        at(root).mod_policy = "Writers"

    yield f"{path} mod_policy", set_policy
    for name in group.values:
        yield (
            f"{path} {name} bytes",
            lambda root, name=name: setattr(at(root).values[name], "value", b"\x0a\x01x"),
        )
        yield f"{path} {name} who", lambda root, name=name: setattr(at(root).values[name], "mod_policy", "W")
        yield f"{path} {name} gone", lambda root, name=name: at(root).values.pop(name)
    for name in group.policies:
        yield (
            f"{path} {name} rule",
            lambda root, name=name: setattr(at(root).policies[name].policy, "value", b"\x10\x02"),
        )
        yield (
            f"{path} {name} who",
            lambda root, name=name: setattr(at(root).policies[name], "mod_policy", "W"),
        )
        yield f"{path} {name} gone", lambda root, name=name: at(root).policies.pop(name)
    for name in group.groups:
        yield f"{path} {name} gone", lambda root, name=name: at(root).groups.pop(name)
        yield from mutations(group.groups[name], (*path, name))


@pytest.mark.parametrize("consensus", [RAFT, BFT])
def test_nothing_changes_without_a_word(consensus: str) -> None:
    before = CHANNELS[consensus]
    unsaid = [
        what for what, change in mutations(before) if not config_changes(before, changed(change, before))
    ]
    assert unsaid == []


def test_unknown_values_and_other_bytes_of_the_same_words_are_said() -> None:
    new = changed(lambda group: setattr(group.values["Secret"], "value", b"\x00"))
    assert any("Secret: content that no words are known for" in line for line in config_changes(GROUP, new))
    padded = GROUP.groups["Orderer"].values["BatchSize"].value + b"\xf8\x7f\x01"
    other = changed(lambda group: setattr(group.groups["Orderer"].values["BatchSize"], "value", padded))
    (line,) = config_changes(GROUP, other)
    assert "the same in words, in other bytes" in line


def test_what_a_terminal_would_act_on_is_escaped() -> None:
    def hostile(group: Any) -> None:
        value = group.groups["Application"].groups["river"].values["MSP"]
        config = msp_config_pb2.MSPConfig.FromString(value.value)
        content = msp_config_pb2.FabricMSPConfig.FromString(config.config)
        content.name = "River\x1b[2K\nchannel: nothing changes"
        config.config = content.SerializeToString()
        value.value = config.SerializeToString()

    lines = config_changes(GROUP, changed(hostile))
    assert lines
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("channel: nothing") for line in lines)


@pytest.mark.parametrize("endpoint", ["", "no port", "host:", ":7", "host:70000", "host:seven"])
def test_anchor_peers_are_a_host_and_a_port(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="anchor peer"):
        with_anchor_peers(GROUP, "river", [endpoint])
    with pytest.raises(ConfigError, match="no organization sea"):
        with_anchor_peers(GROUP, "sea", ["host:7"])
