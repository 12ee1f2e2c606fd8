"""The engine killed at random instants under load: the short run of `python -m benchmarks.durability`."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import durability
from benchmarks.durability_check import Checker, DurabilityError
from benchmarks.durability_load import ABSENT, Answer, Told

_KILLS = 10
_SEED = 20_261


def test_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    summary = durability.run(tmp_path / "network", _KILLS, _SEED)
    assert summary.kills >= _KILLS
    assert summary.acknowledged > _KILLS
    assert summary.blocks > _KILLS


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer("one", "VALID", 4), None),
        (Answer("one", "VALID", 4), ("VALID", 5)),
        (Answer("one", "VALID", 4), ("MVCC_READ_CONFLICT", 4)),
        (Answer("one", ABSENT), ("VALID", 4)),
    ],
)
def test_the_checker_notices_what_was_told_and_is_not_so(
    answer: Answer, found: tuple[str, int] | None
) -> None:
    checker = Checker("00" * 32, ["one"])
    if found is not None:
        checker.found["id"] = found
    with pytest.raises(DurabilityError, match="transaction id"):
        checker.compare(Told(answers={"id": answer}))
