"""How values look on pages."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup, escape

from consentry_records.instants import parse_instant


def moment(value: str | datetime) -> Markup:
    """An instant in UTC, to the second, for people and for programs; empty for an empty text."""
    if not value:
        return Markup()
    found = value.astimezone(UTC) if isinstance(value, datetime) else parse_instant(value)
    machine = found.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{} UTC</time>').format(machine, found.strftime("%Y-%m-%d %H:%M:%S"))


def long_id(value: str) -> Markup:
    """An id or digest as code; it breaks where the line ends."""
    return Markup('<code class="id">{}</code>').format(escape(value))


def percent(part: int, whole: int) -> int:
    """A share in whole percent; 0 of nothing is 0."""
    return round(100 * part / whole) if whole else 0


def number(value: int) -> str:
    """A whole number in groups of three, with a space that every language reads and that never breaks."""
    return f"{value:,}".replace(",", "\u202f")
