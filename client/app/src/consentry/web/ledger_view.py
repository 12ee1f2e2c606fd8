"""How pages reach the trail: one consistent snapshot a question; questions about persons on record."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, func, select

from consentry.index import Trail
from consentry.index.checkpoint import next_block
from consentry.index.schema import blocks, transactions
from consentry.recorded_trail import RecordedTrail, concerned_in
from consentry.reports import Report
from consentry.web.officer import Officer
from consentry.web.settings import ReadLog
from fabric_protocol.validation_codes import code_name

_READ = "trail:record_read"


class LedgerView:
    """The index behind the pages, usable by many threads.

    Args:
        engine: database of the index.
        reads: puts what is shown of persons on the ledger.
    """

    def __init__(self, engine: Engine, reads: ReadLog) -> None:
        self.engine = engine
        self._reads = reads
        self._codes = _CodeCounts()

    @property
    def trail(self) -> Trail:
        """The trail off the record: for what concerns no person (numbers, blocks, networks, own duties)."""
        return Trail(self.engine)

    def trail_for(self, officer: Officer) -> RecordedTrail:
        """The trail on record: each question is logged to the ledger as read by the officer."""

        def record(question: str, *, concerned: list[str], row_count: int, last_block: int) -> object:
            return self._reads(
                officer, question, concerned=concerned, row_count=row_count, last_block=last_block
            )

        return RecordedTrail(self.engine, record)

    def record_report(self, officer: Officer, report: Report, data: bytes) -> None:
        """Log to the ledger that an officer was given a report, with the digest of its bytes."""
        self._reads(
            officer,
            "report",
            concerned=concerned_in((text for _, text in report.facts), found=True),
            row_count=sum(len(table.rows) for table in report.tables),
            last_block=report.completeness.last_block,
            report=report.kind,
            report_bytes=data,
        )

    def last_block(self) -> int:
        """Number of the last block indexed.

        Raises:
            IndexFault: INDEX_EMPTY.
        """
        with self.snapshot() as connection:
            return last_block_of(connection)

    def newest_news(self) -> int:
        """Number of the newest block that has more than records of reads; 0 if there is none.

        Every look at a page is itself a transaction: it is nothing to look again for.
        """
        table = transactions.c
        query = select(table.block).where(table.function != _READ)
        newest = query.order_by(table.block.desc(), table.position.desc()).limit(1)
        with self.snapshot() as connection:
            return int(connection.scalar(newest) or 0)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection in one read transaction."""
        with self.trail.snapshot() as connection:
            yield connection

    def codes(self, connection: Connection) -> dict[str, int]:
        """How many transactions have each validation code."""
        return self._codes.read(connection)


class _CodeCounts:
    """Counts are added to with each block: counting a million transactions anew takes too long for a page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._through = -1
        self._counts: dict[str, int] = {}

    def read(self, connection: Connection) -> dict[str, int]:
        last = last_block_of(connection)
        table = transactions.c
        with self._lock:
            if last > self._through:
                query = select(table.code, func.count()).where(
                    table.block > self._through, table.block <= last
                )
                for code, count in connection.execute(query.group_by(table.code)):
                    name = code_name(code)
                    self._counts[name] = self._counts.get(name, 0) + count
                self._through = last
            return dict(sorted(self._counts.items()))


def last_block_of(connection: Connection) -> int:
    """Number of the last block that a snapshot holds.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    return next_block(connection) - 1


def time_of_block(connection: Connection, number: int) -> str:
    """Instant of a block's first transaction by its creator's clock; empty if it is not indexed."""
    table = transactions.c
    query = select(table.proposal_time).where(table.block == number).order_by(table.position).limit(1)
    return str(connection.scalar(query) or "")


def header_hash(connection: Connection, number: int) -> str:
    """Hex SHA-256 of an indexed block's header; empty if it is not indexed."""
    found = connection.scalar(select(blocks.c.header_hash).where(blocks.c.number == number))
    return found.hex() if found is not None else ""


async def ledger_view(request: Request) -> LedgerView:
    """The view that the application was made with."""
    return cast(LedgerView, request.app.state.view)


CurrentView = Annotated[LedgerView, Depends(ledger_view)]
