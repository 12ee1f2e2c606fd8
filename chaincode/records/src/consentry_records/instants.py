"""Instants `YYYY-MM-DDTHH:MM:SS.mmmZ` (UTC, milliseconds, years 1970 to 9999): text sorts as time does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
EARLIEST = "1970-01-01T00:00:00.000Z"
LATEST = "9999-12-31T23:59:59.999Z"


def format_instant(moment: datetime) -> str:
    """The instant of an aware datetime, fractions of a millisecond cut off.

    Raises ValueError for a naive datetime and for years outside 1970 to 9999.
    """
    if moment.tzinfo is None:
        raise ValueError("expected a datetime with a time zone, got one without")
    moment = moment.astimezone(UTC)
    if moment < _EARLIEST:
        raise ValueError("expected a year from 1970 on")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_instant(text: str) -> datetime:
    """The aware UTC datetime of an instant. Raises ValueError for any other form and for days that do not
    exist.
    """
    if not _PATTERN.fullmatch(text):
        raise ValueError("expected YYYY-MM-DDTHH:MM:SS.mmmZ")
    moment = datetime.fromisoformat(text)
    if moment < _EARLIEST:
        raise ValueError("expected a year from 1970 on")
    return moment


def shift(instant: str, milliseconds: int) -> str:
    """The instant so many milliseconds later (earlier if negative), held within 1970 and 9999."""
    moment, step = parse_instant(instant), timedelta(milliseconds=milliseconds)
    if step > _LATEST - moment:
        return LATEST
    if step < _EARLIEST - moment:
        return EARLIEST
    return format_instant(moment + step)


def milliseconds_between(earlier: str, later: str) -> int:
    """Whole milliseconds from one instant to the other, negative when the second lies before the first."""
    return (parse_instant(later) - parse_instant(earlier)) // timedelta(milliseconds=1)


def months_after(instant: str, months: int) -> str:
    """The same day and time so many months later, or the last day of a month that lacks it; held within 9999.

    So the month of GDPR Art. 12(3) is counted (Regulation 1182/71 Art. 3(2)(c)).
    """
    moment = parse_instant(instant)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if year >= _LATEST.year:
        return LATEST
    following = datetime(year + month // 11, (month + 1) % 12 + 1, 1, tzinfo=UTC)
    day = min(moment.day, (following - timedelta(days=1)).day)
    return format_instant(moment.replace(year=year, month=month + 1, day=day))
