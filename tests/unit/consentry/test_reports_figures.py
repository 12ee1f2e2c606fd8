"""Figures in reports: what a reader can tell from them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from consentry.reports.figures import Figure, draw

FIRST = date(2026, 1, 5)


def _width_of_the_first_bar(days: int) -> float:
    begins = tuple(FIRST + timedelta(days=index) for index in range(days))
    figure = Figure("accesses", "Accesses", "described", begins, {"permitted": (1,) * days})
    bar = re.search(r'<g id="patch_3">.*?<path d="(.*?)"', draw(figure), re.DOTALL)
    assert bar is not None
    across = [float(x) for x in re.findall(r"[ML] ([\d.]+) [\d.]+", bar[1])]
    return max(across) - min(across)


def test_a_single_day_is_no_wider_than_one_of_two_weeks() -> None:
    assert 0 < _width_of_the_first_bar(1) <= _width_of_the_first_bar(14)
    assert 0 < _width_of_the_first_bar(60) < _width_of_the_first_bar(14)
