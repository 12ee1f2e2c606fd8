"""How wide the columns of a table are: by what stands in them, so that no single cell makes a row high."""

from __future__ import annotations

import re
from math import sqrt

from consentry.reports.report import Table
from consentry.reports.values import lines

_LINE = 12
"""Characters that a line of its own counts for beside its text: it seldom ends where the column does."""

_SHORTEST, _LONGEST = 16, 160
_CHARACTER, _BESIDE = 0.65, 1.4
"""Percent of the width that a character takes, and what stands on both sides of a cell's text, where tables
are narrowest: on A4 across, and at 1280 pixels."""

# Ids and digests may break anywhere, the time of a day nowhere.
_WORD = re.compile(r"[0-9:.]{12}Z|[A-Za-z]+")


def column_shares(table: Table) -> tuple[float, ...]:
    """Percent of the width for each column, together 100; the table has one row at least.

    Each has what its longest word needs, as far as there is room for all; what is left goes to long texts.
    """
    columns = list(zip(table.columns, zip(*table.cells, strict=True), strict=True))
    needed = [
        _needed(column.label, *(line for cell in cells for line in lines(cell))) for column, cells in columns
    ]
    weights = [_weight(column.article, [lines(cell) for cell in cells]) for column, cells in columns]
    fitting = min(1, 100 / sum(needed))
    left = 100 - fitting * sum(needed)
    return tuple(
        round(fitting * least + left * weight / sum(weights), 1)
        for least, weight in zip(needed, weights, strict=True)
    )


def _needed(*texts: str) -> float:
    longest = max((len(word) for text in texts for word in _WORD.findall(text)), default=0)
    return _BESIDE + _CHARACTER * longest


def _weight(article: str, cells: list[tuple[str, ...]]) -> float:
    mean = sum(len(line) + _LINE for cell in cells for line in cell) / len(cells)
    return sqrt(min(max(mean, _SHORTEST, len(article)), _LONGEST))
