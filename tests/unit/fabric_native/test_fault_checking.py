"""The checker of fault runs finds what it is there to find; plans follow from their seeds."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.faults import plan
from support.faults.checking import OnRecord, Verdict, judge
from support.faults.plan import planned
from support.faults.writing import COMMITTED, NOT_WRITTEN, UNKNOWN, Write

KINDS = (*plan.PROCESS_KINDS, *plan.CUT_KINDS, *plan.DISK_KINDS, *plan.CLOCK_KINDS, *plan.LIE_KINDS)


def _write(name: str, outcome: str) -> Write:
    return Write(name, "northgate", 0.0, 1.0, outcome, "")


def _record(attempts: dict[str, int], decisions: dict[str, int], block: bytes = b"hash") -> OnRecord:
    return OnRecord(Counter(attempts), Counter(decisions), [(block, b"\0", b"commit")])


def _judged(history: list[Write], record: OnRecord, other: OnRecord | None = None) -> Verdict:
    return judge(history, {"one": record, "other": other or record})


def test_a_clean_run_is_clean() -> None:
    history = [_write("a", COMMITTED), _write("b", NOT_WRITTEN), _write("c", UNKNOWN), _write("d", UNKNOWN)]
    assert _judged(history, _record({"a": 1, "c": 1}, {"a": 1, "c": 1})).clean


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (_record({}, {}), "lost"),
        (_record({"a": 2}, {"a": 1}), "doubled"),
        (_record({"a": 1, "b": 1}, {"a": 1, "b": 1}), "written_against_word"),
        (_record({"a": 1}, {}), "undecided"),
        (_record({"a": 1}, {"a": 2}), "decided_twice"),
        (_record({"a": 1, "x": 1}, {"a": 1, "x": 1}), "unheard_of"),
    ],
)
def test_each_fault_is_found_and_named(record: OnRecord, fault: str) -> None:
    verdict = _judged([_write("a", COMMITTED), _write("b", NOT_WRITTEN)], record)
    assert {name for name, found in vars(verdict).items() if found} == {fault}
    assert not verdict.clean


def test_peers_that_differ_are_named() -> None:
    record = _record({"a": 1}, {"a": 1})
    other = _record({"a": 1}, {"a": 1}, b"another hash")
    assert _judged([_write("a", COMMITTED)], record, other).peers_that_differ == ("other",)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 60))
def test_a_plan_follows_from_its_seed_and_uses_every_kind_in_turn(seed: int, count: int) -> None:
    faults = planned(seed, count, KINDS)
    assert faults == planned(seed, count, KINDS)
    assert [fault.number for fault in faults] == list(range(1, count + 1))
    assert len({fault.kind for fault in faults}) == min(count, len(KINDS))
    for fault in faults:
        assert set(fault.organizations) <= set(plan.ORGANIZATIONS)
        assert 1.0 <= fault.seconds <= (12.0 if fault.kind in plan.LIE_KINDS else 4.0)
        assert bool(fault.offset) == (fault.kind in plan.CLOCK_KINDS)
