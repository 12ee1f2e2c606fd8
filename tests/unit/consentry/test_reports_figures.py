"""Figures in reports: what a reader can tell from them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest

from consentry.reports.figures import Figure, draw

FIRST = date(2026, 1, 5)


def _drawn(days: int) -> str:
    begins = tuple(FIRST + timedelta(days=index) for index in range(days))
    return draw(Figure("accesses", "Accesses", "described", begins, {"permitted": (1,) * days}))


def _width_of_the_first_bar(days: int) -> float:
    bar = re.search(r'<g id="patch_3">.*?<path d="(.*?)"', _drawn(days), re.DOTALL)
    assert bar is not None
    across = [float(x) for x in re.findall(r"[ML] ([\d.]+) [\d.]+", bar[1])]
    return max(across) - min(across)


def test_a_single_day_is_no_wider_than_one_of_two_weeks() -> None:
    assert 0 < _width_of_the_first_bar(1) <= _width_of_the_first_bar(14)
    assert 0 < _width_of_the_first_bar(60) < _width_of_the_first_bar(14)


@pytest.mark.parametrize("days", [1, 2, 4, 5, 7, 8, 15, 16, 31, 60])
def test_days_are_written_apart(days: int) -> None:
    places = [float(x) for x in re.findall(r'x="([\d.]+)"[^>]*>\d{4}-\d\d-\d\d<', _drawn(days))]
    assert places
    # In points: ten characters of a size of 9, with a space between two of them.
    assert all(after - before >= 10 * 5.5 for before, after in pairwise(places))
