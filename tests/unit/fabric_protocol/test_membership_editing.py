"""Ordering nodes and organizations come and go: the trees that updates are computed from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.sample_organizations import SampleOrganization

from fabric_protocol.channel_config import (
    ChannelConfig,
    Consenter,
    OrderingConfig,
    OrganizationConfig,
    genesis_block,
)
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_editing import with_organization
from fabric_protocol.errors import ConfigError
from fabric_protocol.membership_editing import (
    channel_consenters,
    with_consenter,
    with_consenters,
    without_organization,
)
from fabric_protocol.ordering_config import BFT, RAFT

SAMPLES = [SampleOrganization(msp_id) for msp_id in ("RiverMSP", "LakeMSP", "NorthMSP", "HillMSP")]


def organization(number: int) -> OrganizationConfig:
    sample = SAMPLES[number]
    name = sample.msp_id.removesuffix("MSP").lower()
    return OrganizationConfig(name, sample.msp_id, sample.msp_config(), (f"127.0.0.1:{7050 + number}",))


def node(number: int, consenter_id: int = 0) -> Consenter:
    sample = SAMPLES[number]
    tls = sample.member(name="localhost", server=True, client=True).pem
    identity = sample.member("orderer").pem
    return Consenter("127.0.0.1", 7050 + number, tls, tls, consenter_id, sample.msp_id, identity)


def channel(consensus: str) -> ChannelConfig:
    ordering = OrderingConfig(
        consensus=consensus, consenters=tuple(node(number, number + 1) for number in range(3))
    )
    organizations = [organization(number) for number in range(3)]
    start = datetime(2025, 3, 4, tzinfo=UTC)
    return ChannelConfig.from_block(genesis_block("c", organizations, ordering, timestamp=start))


def ports(group: Any) -> list[tuple[int, int]]:
    return [(item.port, item.consenter_id) for item in channel_consenters(group)]


@pytest.mark.parametrize("consensus", [RAFT, BFT])
def test_a_new_node_gets_the_next_number(consensus: str) -> None:
    group = with_consenter(with_organization(channel(consensus).group, organization(3)), node(3))
    assert ports(group) == [(7050, 1), (7051, 2), (7052, 3), (7053, 4)]
    assert "hill" in group.groups["Orderer"].groups
    assert compute_update("c", channel(consensus).group, group).channel_id == "c"


@pytest.mark.parametrize("consensus", [RAFT, BFT])
def test_a_node_at_the_same_address_is_replaced_and_keeps_its_number(consensus: str) -> None:
    renewed = node(1)
    group = with_consenter(channel(consensus).group, renewed)
    assert ports(group) == [(7050, 1), (7051, 2), (7052, 3)]
    assert channel_consenters(group)[1].server_tls_certificate == renewed.server_tls_certificate


@pytest.mark.parametrize("consensus", [RAFT, BFT])
def test_an_organization_goes_with_its_nodes(consensus: str) -> None:
    group = without_organization(channel(consensus).group, "lake")
    assert [port for port, _ in ports(group)] == [7050, 7052]
    for part in ("Application", "Orderer"):
        assert set(group.groups[part].groups) == {"river", "north"}


def test_the_policy_for_block_signatures_follows_smartbfts_nodes() -> None:
    before = channel(BFT).group.groups["Orderer"].policies["BlockValidation"]
    after = with_consenter(channel(BFT).group, node(3)).groups["Orderer"].policies["BlockValidation"]
    assert before.policy.value != after.policy.value
    assert (before.version, before.mod_policy) == (after.version, after.mod_policy)


def test_rafts_options_stay() -> None:
    original = channel(RAFT)
    same = with_consenters(original.group, original.consenters)
    assert same.SerializeToString(deterministic=True) == original.group.SerializeToString(deterministic=True)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError) as unknown:
        without_organization(channel(BFT).group, "hill")
    assert unknown.value.code == "ORGANIZATION_UNKNOWN"
    with pytest.raises(ConfigError) as none_left:
        with_consenters(channel(BFT).group, [])
    assert none_left.value.code == "ORDERING_INVALID"
    with pytest.raises(ConfigError) as anonymous:
        with_consenter(channel(BFT).group, replace(node(3), msp_id=""))
    assert anonymous.value.code == "ORDERING_INVALID"
