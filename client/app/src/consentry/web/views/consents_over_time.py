"""A custodian's consents over time: how many began, ended and were in force, interval by interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from consentry.index.consent_history import ConsentDays, consent_history

MOST_INTERVALS = 24
_NAMES = ((10, "day"), (7, "month"), (4, "year"))
"""Letters of a date that name an interval, and what it is; the shortest that gives few enough is taken."""


@dataclass(frozen=True, slots=True)
class ConsentInterval:
    """One interval.

    Attributes:
        name: a day, month or year as in ISO 8601, e.g. ``2027-03``.
        began: consents given in it.
        ended: consents withdrawn, expired or entered in error in it.
        in_force: given and not ended at its end.
    """

    name: str
    began: int
    ended: int
    in_force: int


@dataclass(frozen=True, slots=True)
class ConsentsOverTime:
    """Intervals in order, those without a change left out, and what they are: day, month or year."""

    custodian: str
    unit: str
    intervals: tuple[ConsentInterval, ...]


def consents_over_time(connection: Connection, custodian: str) -> ConsentsOverTime:
    """Read the consents of a custodian (MSP id) over time; at most 24 intervals, the last ones."""
    days = consent_history(connection, custodian)
    few = ((letters, unit) for letters, unit in _NAMES if _count(days, letters) <= MOST_INTERVALS)
    letters, unit = next(few, _NAMES[-1])
    return ConsentsOverTime(custodian, unit, tuple(_intervals(days, letters))[-MOST_INTERVALS:])


def _count(days: Iterable[ConsentDays], letters: int) -> int:
    return len({day.day[:letters] for day in days})


def _intervals(days: Iterable[ConsentDays], letters: int) -> Iterable[ConsentInterval]:
    in_force = 0
    for name, group in groupby(days, lambda day: day.day[:letters]):
        entries = list(group)
        began, ended = sum(day.began for day in entries), sum(day.ended for day in entries)
        in_force += began - ended
        yield ConsentInterval(name, began, ended, in_force)
