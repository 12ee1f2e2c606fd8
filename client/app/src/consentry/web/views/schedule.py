"""The schedule of reports that are made by themselves, as its file and its state say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from consentry.errors import ConsentryError
from consentry.reports.scheduled import read_schedule
from consentry_records.instants import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One line: what is made, about what (empty: the own organization), when, how, and when it was last."""

    name: str
    report: str
    about: str
    when: str
    formats: tuple[str, ...]
    next_at: str
    last_at: str


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """The schedule's lines; `code` says why it cannot be read, `is_named` whether there is one at all."""

    is_named: bool
    code: str
    lines: tuple[ScheduleLine, ...]


def view_schedule(path: Path | None, now: datetime) -> ScheduleView:
    """Read a schedule.

    Args:
        path: its file; None if the server was told none.
        now: the instant from which the next times are counted.
    """
    if path is None:
        return ScheduleView(False, "", ())
    try:
        schedule = read_schedule(path)
    except ConsentryError as error:
        return ScheduleView(True, error.code, ())
    done = _done(path.with_suffix(".state.json"))
    lines = tuple(
        ScheduleLine(
            name=entry.name,
            report=entry.report,
            about=entry.about,
            when=entry.when,
            formats=entry.formats,
            next_at=format_instant(entry.due_after(now)),
            last_at=done.get(entry.name, ""),
        )
        for entry in schedule.reports
    )
    return ScheduleView(True, "", lines)


def _done(path: Path) -> dict[str, str]:
    """When each line was done last; nothing where that cannot be read."""
    try:
        found = json.loads(path.read_bytes())
        return {str(name): format_instant(parse_instant(at)) for name, at in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
