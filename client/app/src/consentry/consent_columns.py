"""The columns of a frame of consents: a cell that comes again is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from consentry_records.errors import LedgerError

_ONLY_TEXT = {str}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as read: for each row the place of its value in `values`, in which equal ones are one.

    `faults` has what is wrong with a value, by its place; such a value is None.
    """

    places: list[int]
    values: list[Any]
    faults: dict[int, LedgerError]

    def cells(self) -> list[Any]:
        """Return the values in the order of the rows."""
        return list(map(self.values.__getitem__, self.places))


def read_column(series: pd.Series, read: Callable[[object], Any]) -> Column:
    """Read a column by a function that raises LedgerError for a cell that it refuses."""
    places, cells = _distinct(series)
    values: list[Any] = []
    faults: dict[int, LedgerError] = {}
    known: dict[Any, int] = {}
    moved: list[int] = []
    for cell in cells:
        try:
            value = read(cell)
        except LedgerError as error:
            faults[len(values)] = error
            moved.append(len(values))
            values.append(None)
            continue
        try:
            place = known.setdefault(value, len(values))
        except TypeError:  # a list within a list, which the record refuses in words
            place = len(values)
        moved.append(place)
        if place == len(values):
            values.append(value)
    return Column(list(map(moved.__getitem__, places)), values, faults)


def constant(value: object, count: int, read: Callable[[object], Any]) -> Column:
    """Return the column of a frame that lacks it: one value in every row."""
    return Column([0] * count, [read(value)], {})


def _distinct(series: pd.Series) -> tuple[list[int], list[Any]]:
    """For each row the place of its cell among those that differ, and these, as iterating gives them."""
    if isinstance(series.dtype, pd.StringDtype | pd.DatetimeTZDtype):
        codes, cells = pd.factorize(series, use_na_sentinel=False)
        return codes.tolist(), list(cells)
    return _distinct_objects(series)


def _distinct_objects(series: Iterable[Any]) -> tuple[list[int], list[Any]]:
    places: list[int] = []
    cells: list[Any] = []
    known: dict[Any, int] = {}
    for cell in series:
        key = tuple(cell) if type(cell) is list else cell
        try:
            place = known.get(key)
        except TypeError:
            place = None
        if place is None:
            place = len(cells)
            cells.append(cell)
            if _may_come_again(cell):
                known[key] = place
        places.append(place)
    return places, cells


def _may_come_again(cell: object) -> bool:
    """Whether whatever equals a cell is read as it is; of numbers, 1 and True are not."""
    return isinstance(cell, str | datetime) or (type(cell) is list and set(map(type, cell)) <= _ONLY_TEXT)
