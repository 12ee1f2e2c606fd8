"""Grants, newest first, and one of them with what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from consentry.index import ChangeRow, IndexFault
from consentry.index.nearby import newest
from consentry.index.rows import RecordRow, find_changes, get_record
from consentry.index.schema import records, transactions
from consentry.web.views.records import GrantEntry, grant_entry
from consentry_records.grant import Grant

GRANTS_A_PAGE = 50
_MOST_CHANGES = 200
_CHANGES = {"grants:renew": "renewed", "grants:narrow": "narrowed"}


@dataclass(frozen=True, slots=True)
class GrantList:
    """A page of grants: how many there are in all, and the id after which the next page begins."""

    entries: tuple[GrantEntry, ...]
    count: int
    next: str | None


@dataclass(frozen=True, slots=True)
class GrantChangeEntry:
    """One write: what was done (given, changed, renewed, narrowed, revoked, suspended, lifted), when, and in
    which block.
    """

    what: str
    at: str
    block: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class GrantView:
    """One grant.

    Attributes:
        grant: the record, in today's form.
        entry: as it stands at the instant asked for.
        changes: its writes and those of its suspension, oldest first.
        is_suspended: whether a regulator's suspension is in force.
        regulator: MSP id of who suspended it last; empty if nobody did.
    """

    grant: Grant
    entry: GrantEntry
    changes: tuple[GrantChangeEntry, ...]
    is_suspended: bool
    regulator: str


def list_grants(connection: Connection, at: str, after: str | None) -> GrantList:
    """A page of grants.

    Args:
        connection: the index.
        at: the instant at which they are read.
        after: id that the page before gave as next.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    every = select(records.c.record_id).where(records.c.kind == "grant")
    found = newest(connection, "grant", every, GRANTS_A_PAGE, after)
    return GrantList(tuple(grant_entry(row, at) for row in found.rows), found.count, found.next)


def view_grant(connection: Connection, grant_id: str, at: str) -> GrantView:
    """One grant as it stands at an instant.

    Raises:
        IndexFault: GRANT_NOT_INDEXED.
    """
    row = get_record(connection, "grant", grant_id)
    if row is None or not row.body:
        raise IndexFault("GRANT_NOT_INDEXED", "The index has no such grant; check the id.")
    suspension = get_record(connection, "suspension", grant_id)
    changes = [
        *_of_grant(connection, find_changes(connection, "grant", grant_id)),
        *_named(find_changes(connection, "suspension", grant_id), "suspended", "suspended"),
    ]
    ordered = sorted(changes, key=lambda change: (change.block, change.at))[-_MOST_CHANGES:]
    return GrantView(
        grant=Grant.from_dict(row.body),
        entry=grant_entry(row, at),
        changes=tuple(ordered),
        is_suspended=_is_suspended(suspension),
        regulator=str(suspension.body.get("regulator") or "") if suspension is not None else "",
    )


def _is_suspended(suspension: RecordRow | None) -> bool:
    return suspension is not None and suspension.state == "suspended" and suspension.honoured


def _of_grant(connection: Connection, written: list[ChangeRow]) -> list[GrantChangeEntry]:
    """A grant's writes; which change one was, says the function that its transaction called."""
    entries = _named(written, "given", "changed")[-_MOST_CHANGES:]
    table = transactions.c
    ids = [entry.transaction_id for entry in entries if entry.what == "changed"]
    query = select(table.transaction_id, table.function).where(table.transaction_id.in_(ids))
    functions = {row.transaction_id: row.function for row in connection.execute(query)}
    return [
        replace(entry, what=_CHANGES.get(functions.get(entry.transaction_id, ""), entry.what))
        for entry in entries
    ]


def _named(changes: list[ChangeRow], first: str, other: str) -> list[GrantChangeEntry]:
    """Writes by what they did: ended by the state that they left, else the first and the later ones."""
    return [
        GrantChangeEntry(
            change.state if change.state in ("revoked", "lifted") else first if not index else other,
            change.recorded_at,
            change.block,
            change.transaction_id,
        )
        for index, change in enumerate(changes)
        if change.honoured
    ]
