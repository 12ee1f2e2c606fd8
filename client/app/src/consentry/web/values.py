"""How values look on pages."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup, escape

from consentry_records.instants import parse_instant


def moment(value: str | datetime) -> Markup:
    """An instant in UTC, to the second, for people and for programs; empty for an empty text."""
    if not value:
        return Markup()
    if isinstance(value, datetime):
        instant = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    else:
        parse_instant(value)
        instant = value
    # Digits, and what stands between them: nothing to escape.
    return Markup(  # noqa: S704
        f'<time datetime="{instant[:19]}Z">{instant[:10]} {instant[11:19]} UTC</time>'
    )


def long_id(value: str) -> Markup:
    """An id or digest as code; it breaks where the line ends."""
    return Markup(f'<code class="id">{escape(value)}</code>')  # noqa: S704


def percent(part: int, whole: int) -> int:
    """A share in whole percent; 0 of nothing is 0."""
    return round(100 * part / whole) if whole else 0


def number(value: int) -> str:
    """A whole number in groups of three, with a space that every language reads and that never breaks."""
    return f"{value:,}".replace(",", "\u202f")
