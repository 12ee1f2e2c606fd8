"""Writes of records as the index keeps them, each with the value that was written."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, select

from consentry.index.schema import changes, records
from consentry.reports.evidence import LedgerWrite


def select_writes() -> Select[Any]:
    """A query for every write, to be narrowed down by columns of ``changes``."""
    table = changes.c
    joined = changes.outerjoin(
        records, and_(records.c.kind == table.kind, records.c.record_id == table.record_id)
    )
    return select(changes, records.c.body).select_from(joined)


def as_write(row: Any) -> LedgerWrite:
    """A row of that query; the value of a record's last write is what the record is."""
    return LedgerWrite(
        row.block,
        row.position,
        row.transaction_id,
        row.recorded_at,
        row.kind,
        row.record_id,
        row.value if row.value is not None else row.body.encode(),
        row.endorsed,
    )
