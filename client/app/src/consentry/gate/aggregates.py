"""Aggregates: a fixed list of functions over groups that never overlap, computed once and never again.

A version has one grouping, and its result is frozen: every question under every permit is answered from it,
so that no two answers differ by somebody. A group, or a column within it, of fewer subjects than the minimum
is not given out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from consentry.errors import InputRejected
from consentry.gate import row_blocks
from consentry.gate.store import StoredVersion

FUNCTIONS = ("count", "sum", "mean", "variance")
SMALLEST_MINIMUM = 5
MAXIMUM_GROUPS = 10_000
_GROUPED = ("boolean", "integer", "text")
_COMPUTED = ("integer", "number")
LeftOut = Callable[[Sequence[bytes]], list[bool]]
"""Says for each of some subjects whether its rows are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """What is aggregated, and for whom: groups `by` the values of columns, functions of the columns `values`,
    at least `minimum` subjects each, for one purpose of some recipients (MSP ids).
    """

    by: tuple[str, ...]
    values: tuple[str, ...]
    minimum: int
    purpose: str
    commercial: bool
    recipients: tuple[str, ...]

    def check(self, schema: Sequence[Sequence[str]]) -> None:
        """Refuse a grouping that does not fit a version's columns ([name, kind]).

        Raises:
            InputRejected: GROUPING_INVALID.
        """
        kinds = {column[0]: column[1] for column in schema}
        faults = {
            "a group needs columns of whole numbers, truth values or text": not self.by
            or any(kinds.get(name) not in _GROUPED for name in self.by),
            "functions need columns of numbers": any(
                kinds.get(name) not in _COMPUTED for name in self.values
            ),
            "a column is named twice": len({*self.by, *self.values}) != len(self.by) + len(self.values),
            f"the minimum is {SMALLEST_MINIMUM} subjects or more": self.minimum < SMALLEST_MINIMUM,
            "at least one recipient is named": not self.recipients,
        }
        for words, is_fault in faults.items():
            if is_fault:
                raise InputRejected("GROUPING_INVALID", words)

    def allows(self, purpose: str, commercial: bool, recipient: str) -> bool:
        """Whether the frozen result is for this use."""
        return (purpose, commercial) == (self.purpose, self.commercial) and recipient in self.recipients


@dataclass
class _Sums:
    """One column of one group: how many values, their mean and squared deviations (Welford), and whose."""

    count: int = 0
    mean: float = 0.0
    deviations: float = 0.0
    subjects: set[bytes] = field(default_factory=set)

    def add(self, value: float, subject: bytes) -> None:
        self.count += 1
        difference = value - self.mean
        self.mean += difference / self.count
        self.deviations += difference * (value - self.mean)
        self.subjects.add(subject)

    def result(self) -> dict[str, float | int]:
        variance = self.deviations / (self.count - 1) if self.count > 1 else 0.0
        return {
            "count": self.count,
            "sum": self.mean * self.count,
            "mean": self.mean,
            "variance": variance,
        }


@dataclass
class _Group:
    """One group: how many rows, whose, and its columns."""

    rows: int = 0
    subjects: set[bytes] = field(default_factory=set)
    columns: dict[str, _Sums] = field(default_factory=lambda: defaultdict(_Sums))


def compute(stored: StoredVersion, grouping: Grouping, left_out: LeftOut, frozen_at: str) -> dict[str, Any]:
    """Return the result over a version's rows of subjects who are not left out, as JSON values.

    Raises:
        InputRejected: GROUPING_INVALID.
    """
    grouping.check(stored.index.schema)
    groups: dict[tuple[Any, ...], _Group] = defaultdict(_Group)
    for batch in stored.blocks():
        _add(groups, batch, grouping, left_out)
        if len(groups) > MAXIMUM_GROUPS:
            raise InputRejected("GROUPING_INVALID", f"there are more than {MAXIMUM_GROUPS} groups")
    shown = {key: group for key, group in groups.items() if len(group.subjects) >= grouping.minimum}
    return {
        "version_id": stored.version_id,
        "grouping": asdict(grouping),
        "functions": list(FUNCTIONS),
        "frozen_at": frozen_at,
        "suppressed_groups": len(groups) - len(shown),
        "groups": [_result(key, shown[key], grouping) for key in sorted(shown, key=_order)],
    }


def _add(
    groups: dict[tuple[Any, ...], _Group], batch: pa.RecordBatch, grouping: Grouping, left_out: LeftOut
) -> None:
    subjects = batch.column(row_blocks.SUBJECT).to_pylist()
    gone = left_out(subjects)
    keys: Iterable[tuple[Any, ...]] = zip(*(batch.column(n).to_pylist() for n in grouping.by), strict=True)
    values = {name: batch.column(name).to_pylist() for name in grouping.values}
    for place, (key, subject) in enumerate(zip(keys, subjects, strict=True)):
        if gone[place]:
            continue
        group = groups[key]
        group.rows += 1
        group.subjects.add(subject)
        for name, column in values.items():
            if column[place] is not None:
                group.columns[name].add(float(column[place]), subject)


def _result(key: tuple[Any, ...], group: _Group, grouping: Grouping) -> dict[str, Any]:
    columns = {
        name: sums.result()
        for name, sums in sorted(group.columns.items())
        if len(sums.subjects) >= grouping.minimum and _no_few_missing(group, sums, grouping)
    }
    return {"key": list(key), "rows": group.rows, "columns": columns}


def _no_few_missing(group: _Group, sums: _Sums, grouping: Grouping) -> bool:
    """Whether those of the group whose value is missing are none, or enough not to be told apart."""
    missing = len(group.subjects - sums.subjects)
    return missing == 0 or missing >= grouping.minimum


def _order(key: tuple[Any, ...]) -> str:
    return json.dumps(key)
