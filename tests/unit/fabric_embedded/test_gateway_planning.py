"""Plans are worked out once, until what they come from changes."""

from __future__ import annotations

import pytest
from support.sample_channel import CHAINCODE, SampleLedger, members, sample_config

from fabric_embedded.gateway.planning import EndorsementPlanner, KnownPlans, NoPlan
from fabric_protocol.interest import InterestCall

ALPHA, BETA = NAMES = ("AlphaMSP", "BetaMSP")
CONFIG = sample_config(*NAMES)
PEERS = {name: members(name).peer.identity for name in NAMES}
INTEREST = (InterestCall(CHAINCODE),)


def planner(policy: str, known: KnownPlans, lifecycle_height: int = 1) -> EndorsementPlanner:
    return EndorsementPlanner(CONFIG, SampleLedger(NAMES, policy).state, lifecycle_height, PEERS, known)


ONE, BOTH = "OR('AlphaMSP.peer','BetaMSP.peer')", "AND('AlphaMSP.peer','BetaMSP.peer')"


def test_a_plan_holds_until_definitions_may_have_changed() -> None:
    known = KnownPlans()
    assert planner(ONE, known).plan(INTEREST, NAMES, ALPHA) == (ALPHA,)
    assert planner(BOTH, known).plan(INTEREST, NAMES, ALPHA) == (ALPHA,)
    assert planner(BOTH, known, 2).plan(INTEREST, NAMES, ALPHA) == (ALPHA, BETA)


def test_every_part_of_the_question_counts() -> None:
    known = KnownPlans()
    either = planner(ONE, known)
    assert either.plan(INTEREST, NAMES, ALPHA) == (ALPHA,)
    assert either.plan(INTEREST, NAMES, BETA) == (BETA,)
    assert either.plan(INTEREST, [BETA], ALPHA) == (BETA,)
    with pytest.raises(NoPlan):
        either.plan((InterestCall("unknown"),), NAMES, ALPHA)


def test_what_failed_is_tried_again() -> None:
    known = KnownPlans()
    for _ in range(2):
        with pytest.raises(NoPlan, match=r"unavailability of peers: \[BetaMSP\]"):
            planner(BOTH, known).plan(INTEREST, [ALPHA], ALPHA)
    assert planner(BOTH, known).plan(INTEREST, NAMES, ALPHA) == (ALPHA, BETA)


def test_only_so_many_plans_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabric_embedded.gateway.planning._MOST_KNOWN", 1)
    known = KnownPlans()
    planner(ONE, known).plan(INTEREST, NAMES, ALPHA)
    planner(ONE, known).plan(INTEREST, NAMES, BETA)
    assert planner(BOTH, known).plan(INTEREST, NAMES, BETA) == (BETA,)
    assert planner(BOTH, known).plan(INTEREST, NAMES, ALPHA) == (ALPHA, BETA)
