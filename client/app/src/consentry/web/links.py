"""Paths of the pages on records."""

from __future__ import annotations

from markupsafe import Markup, escape

_OWN_PAGES = {
    "breach": "/breaches/{}",
    "dataset": "/datasets/{}",
    "grant": "/grants/{}",
    "model": "/models/{}",
    "modelversion": "/models/versions/{}",
    "request": "/requests/{}",
    "rights": "/rights/{}",
}


def record_path(kind: str, record_id: str) -> str:
    """The path of a record's page; it names ids of the ledger only."""
    return _OWN_PAGES.get(kind, f"/records/{kind}/{{}}").format(record_id)


def short_id(record_id: str) -> str:
    """An id without its kind and its end, for places where it is a link or stands beside the whole."""
    return f"{record_id.partition('-')[2][:8]}…"


def short_link(record_id: str, kind: str) -> Markup:
    """A link to a record's page by the short form of its id."""
    path = escape(record_path(kind, record_id))
    return Markup(f'<a href="{path}"><code class="short">{escape(short_id(record_id))}</code></a>')  # noqa: S704
