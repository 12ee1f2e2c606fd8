"""Records that point to others, newest first and bounded: what a page shows, however long the ledger is.

A question costs what the records that were asked about have around them, never what the ledger holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from consentry.errors import InputRejected
from consentry.index.rows import RecordRow, get_record, get_records
from consentry.index.schema import links, records

MOST_COUNTED = 10_000
"""No number of records is counted beyond this."""

_LAST_WRITTEN = 400

Ids = Sequence[str] | Select[Any]
"""Ids of records of one kind: themselves, or a query for them."""


@dataclass(frozen=True)
class Nearby:
    """The newest of some records, and how many there are.

    Attributes:
        rows: newest first.
        count: how many there are; `MOST_COUNTED` + 1 stands for more.
        next: id after which the next page begins; None on the last.
    """

    rows: tuple[RecordRow, ...]
    count: int
    next: str | None = None

    @property
    def left_out(self) -> int:
        """How many are not among the rows."""
        return self.count - len(self.rows)


def pointing_to(kind: str, ids: Ids, from_kind: str) -> Select[Any]:
    """A query for the ids of the records of ``from_kind`` that point to some of a kind."""
    return select(links.c.from_id).where(
        links.c.to_kind == kind, links.c.to_id.in_(ids), links.c.from_kind == from_kind
    )


def pointed_to(kind: str, ids: Ids, to_kind: str) -> Select[Any]:
    """A query for the ids of the records of ``to_kind`` that some of a kind point to."""
    return select(links.c.to_id).where(
        links.c.from_kind == kind, links.c.from_id.in_(ids), links.c.to_kind == to_kind
    )


def newest(connection: Connection, kind: str, ids: Ids, most: int, after: str | None = None) -> Nearby:
    """Records of one kind by their ids, those first written last first.

    Args:
        connection: the index.
        kind: of the records.
        ids: of the records.
        most: how many at most.
        after: id that the page before gave as next.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    table = records.c
    among = and_(table.kind == kind, table.record_id.in_(ids))
    ordered = (table.first_block.desc(), table.record_id.desc())
    if after is None:
        return _first_page(connection, kind, among, ordered, most)
    query = select(table.record_id).where(among, _older(connection, kind, after))
    found = list(connection.scalars(query.order_by(*ordered).limit(most + 1)))
    return _read(connection, kind, found, most, _count(connection, among))


def oldest(connection: Connection, kind: str, ids: Ids, most: int) -> Nearby:
    """Records of one kind by their ids, those first written first; no pages follow."""
    table = records.c
    among = and_(table.kind == kind, table.record_id.in_(ids))
    found = _first_page(connection, kind, among, (table.first_block, table.record_id), most)
    return replace(found, next=None)


def named(connection: Connection, kind: str, most: int, after: str | None = None) -> Nearby:
    """Honoured records of one kind in the order of their names.

    Args:
        connection: the index.
        kind: of the records.
        most: how many at most.
        after: id that the page before gave as next.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    table = records.c
    among = and_(table.kind == kind, table.honoured)
    query = select(table.record_id).where(among)
    if after is not None:
        name = connection.scalar(select(table.name).where(table.kind == kind, table.record_id == after))
        if name is None:
            raise _no_page()
        query = query.where(or_(table.name > name, and_(table.name == name, table.record_id > after)))
    found = list(connection.scalars(query.order_by(table.name, table.record_id).limit(most + 1)))
    return _read(connection, kind, found, most, _count(connection, among))


def counted_by_target(
    connection: Connection, kind: str, ids: Sequence[str], from_kind: str
) -> dict[str, int]:
    """For each of some records how many records of ``from_kind`` point to it."""
    table = links.c
    query = select(table.to_id, func.count()).where(
        table.to_kind == kind, table.to_id.in_(ids), table.from_kind == from_kind
    )
    return {str(to_id): int(count) for to_id, count in connection.execute(query.group_by(table.to_id))}


def newest_of_each(
    connection: Connection, kind: str, ids: Sequence[str], from_kind: str
) -> dict[str, RecordRow]:
    """For each of some records the newest record of ``from_kind`` that points to it, where one does.

    Most are among the records of their kind that were written last; for the others all that point to them
    are compared.
    """
    found = _among_last_written(connection, kind, ids, from_kind)
    found |= _of_all(connection, kind, [record_id for record_id in ids if record_id not in found], from_kind)
    rows = {row.record_id: row for row in get_records(connection, from_kind, found.values())}
    return {to_id: rows[from_id] for to_id, from_id in found.items() if from_id in rows}


def _among_last_written(
    connection: Connection, kind: str, ids: Sequence[str], from_kind: str
) -> dict[str, str]:
    """Ids by target, where it is certain that nothing newer points to it."""
    table = records.c
    last = (
        select(table.kind, table.record_id, table.first_block, table.block)
        .where(table.kind == from_kind)
        .order_by(table.block.desc(), table.position.desc())
        .limit(_LAST_WRITTEN)
        .subquery()
    )
    joined = and_(links.c.from_kind == last.c.kind, links.c.from_id == last.c.record_id)
    query = select(last.c.first_block, last.c.block, last.c.record_id, links.c.to_id).join(
        links, and_(joined, links.c.to_kind == kind)
    )
    rows = connection.execute(query).all()
    # What was not looked at was last written in this block or before, and so first, too.
    since = min((row.block for row in rows), default=0)
    wanted, found = set(ids), dict[str, tuple[int, str]]()
    for row in rows:
        if row.to_id in wanted and row.first_block > since:
            found[row.to_id] = max(found.get(row.to_id, (0, "")), (row.first_block, row.record_id))
    return {to_id: record_id for to_id, (_, record_id) in found.items()}


def _of_all(connection: Connection, kind: str, ids: Sequence[str], from_kind: str) -> dict[str, str]:
    """Ids by target, each the newest of all that point to it."""
    if not ids:
        return {}
    table = records.c
    place = func.row_number().over(
        partition_by=links.c.to_id, order_by=(table.first_block.desc(), table.record_id.desc())
    )
    joined = and_(table.kind == links.c.from_kind, table.record_id == links.c.from_id)
    ranked = (
        select(links.c.to_id, links.c.from_id, place.label("place"))
        .join(records, joined)
        .where(links.c.to_kind == kind, links.c.to_id.in_(ids), links.c.from_kind == from_kind)
        .subquery()
    )
    query = select(ranked.c.to_id, ranked.c.from_id).where(ranked.c.place == 1)
    return {str(to_id): str(from_id) for to_id, from_id in connection.execute(query)}


def _first_page(
    connection: Connection, kind: str, among: ColumnElement[bool], ordered: Sequence[Any], most: int
) -> Nearby:
    """Records in an order for which all of them are read anyway: they are counted as they go by."""
    query = select(records.c.record_id, func.count().over()).where(among)
    found = connection.execute(query.order_by(*ordered).limit(most + 1)).all()
    count = min(found[0][1], MOST_COUNTED + 1) if found else 0
    return _read(connection, kind, [record_id for record_id, _ in found], most, count)


def _read(connection: Connection, kind: str, found: list[str], most: int, count: int) -> Nearby:
    """The records of ids in their order; one more id than fits says that there is a next page."""
    place = {record_id: index for index, record_id in enumerate(found[:most])}
    rows = sorted(get_records(connection, kind, place), key=lambda row: place[row.record_id])
    return Nearby(tuple(rows), count, found[most - 1] if len(found) > most else None)


def _count(connection: Connection, condition: Any) -> int:
    some = select(records.c.record_id).where(condition).limit(MOST_COUNTED + 1).subquery()
    return int(connection.scalar(select(func.count()).select_from(some)) or 0)


def _older(connection: Connection, kind: str, after: str) -> Any:
    row = get_record(connection, kind, after)
    if row is None:
        raise _no_page()
    table = records.c
    return or_(
        table.first_block < row.first_block,
        and_(table.first_block == row.first_block, table.record_id < after),
    )


def _no_page() -> InputRejected:
    return InputRejected("PAGE_INVALID", "A page begins after a record that the page before named as next.")
