"""How wide the columns of a table are: by what stands in them, so that no single cell makes a row high."""

from __future__ import annotations

import re
from itertools import chain
from math import sqrt

from consentry.reports.report import Table
from consentry.reports.values import lines

_LINE = 12
"""Characters that a line of its own counts for beside its text: it seldom ends where the column does."""

_SHORTEST, _LONGEST = 16, 160
_CHARACTERS_A_WORD = 4
# Ids and digests may break anywhere, the time of a day nowhere.
_WORD = re.compile(r"[0-9:.]{12}Z|[A-Za-z]+")


def column_shares(table: Table) -> tuple[float, ...]:
    """Percent of the width for each column, together 100; the table has one row at least."""
    weights = [
        _weight(column.label, column.article, [lines(row[index]) for row in table.cells])
        for index, column in enumerate(table.columns)
    ]
    return tuple(round(100 * weight / sum(weights), 1) for weight in weights)


def _weight(label: str, article: str, cells: list[tuple[str, ...]]) -> float:
    mean = sum(len(line) + _LINE for cell in cells for line in cell) / len(cells)
    words = chain.from_iterable(_WORD.findall(text) for text in (label, *chain.from_iterable(cells)))
    # What is not broken: a column is never narrower than a word.
    least = max(_SHORTEST, len(article), _CHARACTERS_A_WORD * max(map(len, words), default=0))
    return sqrt(min(max(mean, least), _LONGEST))
