"""A short run of faults on real nodes; the long one is `make faults`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.faults import plan
from support.faults.injecting import possible_kinds
from support.faults.run import run

pytestmark = [pytest.mark.optional_tool("fabric-binaries"), pytest.mark.optional_tool("network-namespaces")]
_SEED = 11
_KINDS = (
    plan.KILL_PEER,
    plan.STOP_ORDERER,
    plan.CUT_ONE,
    plan.PEER_CLOCK,
    plan.LYING_ORDERER,
    plan.TWO_FACED_ORDERER,
)


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_and_all_is_decided_whatever_is_hurt(tmp_path: Path) -> None:
    kinds, _ = possible_kinds()
    count = len(set(kinds) & set(_KINDS))
    outcome = run(tmp_path / "network", _SEED, count, print, _KINDS)
    assert outcome.verdict.clean, str(outcome.verdict)
    assert len({item.fault.kind for item in outcome.struck}) == count
    assert outcome.lies
    assert outcome.writes["committed"] > count
    assert outcome.decided >= outcome.writes["committed"]


def test_every_kind_that_this_machine_cannot_make_is_named() -> None:
    kinds, missing = possible_kinds()
    every = {*plan.PROCESS_KINDS, *plan.CUT_KINDS, *plan.DISK_KINDS, *plan.CLOCK_KINDS, *plan.LIE_KINDS}
    assert every == {*kinds, *missing}
    assert all(missing.values())
