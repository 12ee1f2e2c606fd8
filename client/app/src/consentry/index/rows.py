"""Records, their changes and findings as typed rows, one query each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from consentry.index.schema import changes, findings, links, records

GRANT = "grant"
SUSPENDED = "suspended"
_IDS_PER_QUERY = 400


@dataclass(frozen=True)
class RecordRow:
    """A record as it stands on the ledger.

    Attributes:
        kind: e.g. ``consent``, ``grant``, ``session``, ``modelversion``.
        record_id: its id.
        owner: MSP id of its custodian or owner; empty if it has none.
        state: its state word; empty if it has none. A grant that a regulator suspended is ``suspended``.
        honoured: False if its custodian did not endorse it: forged, shown and not relied on.
        body: its fields.
        first_block: block that first wrote it.
        block: block that last wrote it.
        transaction_id: transaction that last wrote it.
        recorded_at: instant of that transaction by its creator's clock.
    """

    kind: str
    record_id: str
    owner: str
    state: str
    honoured: bool
    body: dict[str, Any]
    first_block: int
    block: int
    transaction_id: str
    recorded_at: str


@dataclass(frozen=True)
class ChangeRow:
    """One write of a record: where, by which transaction, and the state it then had."""

    kind: str
    record_id: str
    state: str
    honoured: bool
    block: int
    transaction_id: str
    recorded_at: str


@dataclass(frozen=True)
class FindingRow:
    """Something on the ledger that honest contracts do not write: forged, rewritten, unreadable."""

    block: int
    kind: str
    record_id: str
    code: str
    sentence: str


def get_record(connection: Connection, kind: str, record_id: str) -> RecordRow | None:
    """One record, or None."""
    return next(iter(get_records(connection, kind, [record_id])), None)


def get_records(connection: Connection, kind: str, ids: Iterable[str]) -> list[RecordRow]:
    """Records of one kind by their ids, in the order in which they were first written."""
    found: list[RecordRow] = []
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        part = wanted[start : start + _IDS_PER_QUERY]
        query = select(records).where(records.c.kind == kind, records.c.record_id.in_(part))
        found += [record_row(row) for row in connection.execute(query)]
    found = _with_suspensions(connection, found) if kind == GRANT else found
    return sorted(found, key=lambda row: (row.first_block, row.record_id))


def find_records(
    connection: Connection,
    kind: str,
    *,
    owner: str | None = None,
    name: str | None = None,
    subject: str | None = None,
) -> list[RecordRow]:
    """Records of one kind by owner, name or subject, in the order in which they were first written."""
    table = records.c
    equal = {table.owner: owner, table.name: name, table.subject: subject}
    conditions = [column == value for column, value in equal.items() if value is not None]
    query = select(records).where(table.kind == kind, *conditions)
    rows = [record_row(row) for row in connection.execute(query.order_by(table.first_block, table.record_id))]
    return _with_suspensions(connection, rows) if kind == GRANT else rows


def linked_from(connection: Connection, kind: str, ids: Iterable[str], to_kind: str) -> list[str]:
    """Ids of the records of ``to_kind`` that some records point to."""
    return _linked(
        connection, links.c.from_kind, links.c.from_id, kind, ids, links.c.to_kind, links.c.to_id, to_kind
    )


def linking_to(connection: Connection, kind: str, ids: Iterable[str], from_kind: str) -> list[str]:
    """Ids of the records of ``from_kind`` that point to some records."""
    return _linked(
        connection, links.c.to_kind, links.c.to_id, kind, ids, links.c.from_kind, links.c.from_id, from_kind
    )


def links_to(
    connection: Connection, kind: str, ids: Iterable[str], from_kind: str
) -> dict[str, tuple[str, ...]]:
    """For each of some records the ids of the records of ``from_kind`` that point to it, if any do."""
    found: dict[str, list[str]] = {}
    wanted, table = sorted(set(ids)), links.c
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        part = wanted[start : start + _IDS_PER_QUERY]
        query = select(table.to_id, table.from_id).where(
            table.to_kind == kind, table.to_id.in_(part), table.from_kind == from_kind
        )
        for row in connection.execute(query.order_by(table.to_id, table.from_id)):
            found.setdefault(row.to_id, []).append(row.from_id)
    return {to_id: tuple(from_ids) for to_id, from_ids in found.items()}


def find_changes(connection: Connection, kind: str, record_id: str) -> list[ChangeRow]:
    """Every write of one record, oldest first."""
    table = changes.c
    query = select(changes).where(table.kind == kind, table.record_id == record_id)
    return [
        ChangeRow(
            row.kind, row.record_id, row.state, row.honoured, row.block, row.transaction_id, row.recorded_at
        )
        for row in connection.execute(query.order_by(table.block, table.position))
    ]


def find_findings(connection: Connection) -> list[FindingRow]:
    """Everything that honest contracts would not have written, in ledger order."""
    query = select(findings).order_by(findings.c.block, findings.c.position, findings.c.record_id)
    return [
        FindingRow(row.block, row.kind, row.record_id, row.code, row.sentence)
        for row in connection.execute(query)
    ]


def record_row(row: Any) -> RecordRow:
    """A row of the table ``records`` as its type."""
    return RecordRow(
        kind=row.kind,
        record_id=row.record_id,
        owner=row.owner,
        state=row.state,
        honoured=row.honoured,
        body=json.loads(row.body) if row.body else {},
        first_block=row.first_block,
        block=row.block,
        transaction_id=row.transaction_id,
        recorded_at=row.recorded_at,
    )


def _with_suspensions(connection: Connection, grants: list[RecordRow]) -> list[RecordRow]:
    """A regulator suspends a grant by a record of its own; the grant's says nothing of it."""
    suspended = {
        row.record_id
        for row in get_records(connection, "suspension", [grant.record_id for grant in grants])
        if row.honoured and row.state == SUSPENDED
    }
    return [
        replace(grant, state=SUSPENDED) if grant.record_id in suspended and grant.state == "active" else grant
        for grant in grants
    ]


def _linked(
    connection: Connection, kind_column: Any, id_column: Any, kind: str, ids: Iterable[str], *target: Any
) -> list[str]:
    other_kind_column, other_id_column, other_kind = target
    found: set[str] = set()
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        part = wanted[start : start + _IDS_PER_QUERY]
        query = select(other_id_column).where(
            kind_column == kind, id_column.in_(part), other_kind_column == other_kind
        )
        found |= set(connection.scalars(query))
    return sorted(found)
