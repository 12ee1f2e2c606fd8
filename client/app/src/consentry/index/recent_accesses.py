"""Accesses to some dataset versions, newest first, a page at a time."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from consentry.index.accesses import Access, as_accesses
from consentry.index.pages import Page, PageRequest, cursor
from consentry.index.schema import accesses


def recent_accesses(connection: Connection, versions: Sequence[str], page: PageRequest) -> Page[Access]:
    """Accesses to dataset versions, the newest first.

    The index keeps them in order for each version: of each no more are read than the page has.

    Args:
        connection: the index.
        versions: ids of the versions.
        page: which page; its cursor is that of the last access of the page before.
    """
    request = PageRequest(page.size, page.after, newest_first=True)
    per_version = [_of_version(connection, version, request) for version in dict.fromkeys(versions)]
    newest_first = heapq.merge(*per_version, key=lambda row: (row.block, row.position), reverse=True)
    rows = [row for _, row in zip(range(page.size + 1), newest_first, strict=False)]
    last = rows[page.size - 1] if len(rows) > page.size else None
    return Page(
        as_accesses(connection, rows[: page.size]),
        cursor(last.block, last.position) if last is not None else None,
    )


def count_by_recipient(connection: Connection, versions: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many accesses to some versions each organization (MSP id) tried, by outcome."""
    table = accesses.c
    # All of it, and in this order, is in an index: no access is read for it.
    grouped = (table.version_id, table.requester_msp, table.outcome)
    query = select(*grouped, func.count()).where(table.version_id.in_(versions)).group_by(*grouped)
    counts: Counter[tuple[str, str]] = Counter()
    for _, msp_id, outcome, count in connection.execute(query):
        counts[msp_id, outcome] += count
    return dict(counts)


def _of_version(connection: Connection, version: str, page: PageRequest) -> Sequence[Any]:
    query = select(accesses).where(accesses.c.version_id == version)
    after = page.condition(accesses)
    if after is not None:
        query = query.where(after)
    return connection.execute(query.order_by(*page.order(accesses)).limit(page.size + 1)).all()
