"""Paths of the pages on records."""

from __future__ import annotations

_OWN_PAGES = {
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
