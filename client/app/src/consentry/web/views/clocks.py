"""Legal clocks: how long something may still take, or by how much it is late."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consentry_records.instants import milliseconds_between

_HOUR = 3_600_000
_DAY = 24 * _HOUR


class ClockState(StrEnum):
    """What a clock says; each has its words, for a colour alone tells some readers nothing."""

    RUNNING = "running"
    SOON = "soon"
    OVERDUE = "overdue"
    MET = "met"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock at an instant.

    Attributes:
        due_at: when it ends.
        state: what it says.
        days: whole days left, or of delay.
        hours: whole hours beyond the days.
    """

    due_at: str
    state: ClockState
    days: int
    hours: int


def clock(due_at: str, at: str, done_at: str | None = None, *, soon_hours: int) -> Clock:
    """Read a clock.

    Args:
        due_at: when it ends.
        at: when it is read.
        done_at: when what it waits for was done; None if it is not.
        soon_hours: how many hours before its end it ends "soon".
    """
    left = milliseconds_between(done_at or at, due_at)
    if done_at is not None:
        state = ClockState.MET if left >= 0 else ClockState.LATE
    elif left < 0:
        state = ClockState.OVERDUE
    else:
        state = ClockState.SOON if left < soon_hours * _HOUR else ClockState.RUNNING
    days, rest = divmod(abs(left), _DAY)
    return Clock(due_at, state, days, rest // _HOUR)
