"""Proposals of a configuration update: looked at, signed by each, altered by somebody hostile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from support.config_changes import config_signer
from support.sample_channel import CHANNEL, members, sample_config
from support.sample_organizations import Member, SampleOrganization

from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_editing import with_anchor_peers, with_batch_size, with_implicit_policy
from fabric_protocol.config_review import (
    new_proposal,
    read_proposal,
    review_proposal,
    sign_proposal,
)
from fabric_protocol.config_signing import update_envelope
from fabric_protocol.config_update import propose_config
from fabric_protocol.errors import ConfigError

MSP_IDS = ("AlphaMSP", "BetaMSP", "GammaMSP")
CURRENT = sample_config(*MSP_IDS)
ADMINS = [members(msp_id).organization.member("admin", name="admin-1") for msp_id in MSP_IDS]
NAMES = [item.name for item in CURRENT.organizations]


def proposal(changed: Any, channel: str = CHANNEL) -> bytes:
    return new_proposal(channel, compute_update(channel, CURRENT.group, changed).SerializeToString())


SMALLER = proposal(with_batch_size(CURRENT.group, max_message_count=7))


def signed(data: bytes, administrators: Sequence[Member]) -> bytes:
    for member in administrators:
        data = sign_proposal(CURRENT, data, config_signer(member))
    return data


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        work()
    return caught.value.code


def with_update(data: bytes, change: Callable[[Any], None]) -> bytes:
    """A proposal whose update somebody altered, its signatures as they were."""
    envelope = read_proposal(data)
    update = configtx_pb2.ConfigUpdate.FromString(envelope.config_update)
    change(update)
    envelope.config_update = update.SerializeToString()
    return repacked(data, envelope)


def repacked(data: bytes, content: Any) -> bytes:
    outer = common_pb2.Envelope.FromString(data)
    payload = common_pb2.Payload.FromString(outer.payload)
    payload.data = content.SerializeToString()
    outer.payload = payload.SerializeToString()
    return bytes(outer.SerializeToString())


def test_a_proposal_says_what_it_changes_and_who_is_missing() -> None:
    review = review_proposal(CURRENT, SMALLER)
    assert [line for line in review.changes if "max message count: 7" in line]
    (demand,) = review.demands
    assert demand.policy == "/Channel/Orderer/Admins"
    assert demand.asks_for == "a majority of the members' 'Admins'"
    assert list(demand.without) == NAMES
    assert not review.is_signed_by_enough

    half = review_proposal(CURRENT, signed(SMALLER, ADMINS[:1]))
    assert half.signed == ("AlphaMSP",)
    assert list(half.demands[0].without) == NAMES[1:]
    assert not half.is_signed_by_enough
    assert review_proposal(CURRENT, signed(SMALLER, ADMINS[:2])).is_signed_by_enough


def test_what_enough_have_signed_ordering_nodes_take() -> None:
    data = signed(SMALLER, ADMINS[:2])
    content = read_proposal(data)
    envelope = update_envelope(CHANNEL, content.config_update, content.signatures, config_signer(ADMINS[2]))
    _, found = propose_config(CURRENT, envelope)
    assert found.max_message_count == 7
    # From then on it is made from a configuration that is not in force any more.
    assert refusal(lambda: review_proposal(found, data)) == "CONFIG_VERSION_CONFLICT"
    assert refusal(lambda: sign_proposal(found, data, config_signer(ADMINS[2]))) == "CONFIG_VERSION_CONFLICT"


def test_an_organizations_own_affair_needs_its_own_administrator_alone() -> None:
    own = proposal(with_anchor_peers(CURRENT.group, NAMES[0], ["far.example:7051"]))
    assert refusal(lambda: signed(own, ADMINS[1:2])) == "SIGNATURE_WORTHLESS"
    review = review_proposal(CURRENT, signed(own, ADMINS[:1]))
    assert review.is_signed_by_enough
    assert review.demands[0].asks_for == "OutOf(1, 'AlphaMSP.admin')"


def test_members_below_members_are_named_by_their_organizations() -> None:
    root = proposal(with_implicit_policy(CURRENT.group, "/Channel/Readers", "ALL Readers"))
    (demand,) = review_proposal(CURRENT, root).demands
    assert demand.policy == "/Channel/Admins"
    assert set(demand.without) == set(NAMES)


def test_a_proposal_for_another_channel_is_refused() -> None:
    other = proposal(with_batch_size(CURRENT.group, max_message_count=7), "elsewhere")
    for work in (
        lambda: review_proposal(CURRENT, other),
        lambda: sign_proposal(CURRENT, other, config_signer(ADMINS[0])),
    ):
        assert refusal(work) == "CONFIG_UPDATE_INVALID"


@pytest.mark.parametrize("version", [0, 2, 99])
def test_a_proposal_from_another_base_is_refused(version: int) -> None:
    def rebased(update: Any) -> None:
        update.write_set.groups["Orderer"].values["BatchSize"].version = version

    assert (
        refusal(lambda: review_proposal(CURRENT, with_update(SMALLER, rebased))) == "CONFIG_VERSION_CONFLICT"
    )


def test_a_proposal_altered_after_it_was_signed_is_shown_and_signed_by_nobody_more() -> None:
    def larger(update: Any) -> None:
        value = update.write_set.groups["Orderer"].values["BatchSize"]
        value.value = (
            with_batch_size(CURRENT.group, max_message_count=9).groups["Orderer"].values["BatchSize"].value
        )

    altered = with_update(signed(SMALLER, ADMINS[:2]), larger)
    review = review_proposal(CURRENT, altered)
    assert (review.signed, review.unfit) == ((), ("AlphaMSP", "BetaMSP"))
    assert not review.is_signed_by_enough
    assert refusal(lambda: signed(altered, ADMINS[2:])) == "PROPOSAL_ALTERED"


def test_a_signer_counts_once() -> None:
    once = signed(SMALLER, ADMINS[:1])
    assert refusal(lambda: signed(once, ADMINS[:1])) == "PROPOSAL_SIGNED"
    content = read_proposal(once)
    content.signatures.append(content.signatures[0])
    doubled = review_proposal(CURRENT, repacked(once, content))
    assert doubled.signed == ("AlphaMSP",)
    assert not doubled.is_signed_by_enough
    # Another certificate of the same organization does not speak for another organization.
    second = members("AlphaMSP").organization.member("admin", name="admin-2")
    review = review_proposal(CURRENT, signed(SMALLER, [ADMINS[0], second]))
    assert review.signed == ("AlphaMSP", "AlphaMSP")
    assert not review.is_signed_by_enough


def test_who_is_no_administrator_signs_nothing() -> None:
    for member in (members("AlphaMSP").client, members("AlphaMSP").peer):
        assert refusal(lambda member=member: signed(SMALLER, [member])) == "SIGNATURE_WORTHLESS"
    stranger = SampleOrganization("AlphaMSP").member("admin")
    assert refusal(lambda: signed(SMALLER, [stranger])) == "SIGNATURE_WORTHLESS"
    unknown = SampleOrganization("OtherMSP").member("admin")
    assert refusal(lambda: signed(SMALLER, [unknown])) == "SIGNATURE_WORTHLESS"


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"no proposal at all", SMALLER[:40]])
def test_what_is_no_proposal_is_refused(data: bytes) -> None:
    assert refusal(lambda: review_proposal(CURRENT, data)) == "CONFIG_UPDATE_INVALID"
