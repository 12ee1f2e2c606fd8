"""Who looked at what is itself on the ledger: questions to the trail, and reports that somebody asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from consentry.cli.index_access import open_trail
from consentry.cli.output import note
from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.cli.context import CommandContext
    from consentry.index import Trail
    from consentry.reports import Report

_WAITS = "The ledger is unreachable: this read waits in the outbox and is recorded with the next one."
_LOCAL = (
    "Not on record (--local): this read of the copy at hand is known to nobody but you. "
    "For auditors who verify a copy; whoever answers for persons' data reads on record."
)


@contextmanager
def open_recorded_trail(context: CommandContext) -> Iterator[Trail]:
    """The trail of `open_trail`; each question is put on the ledger, or in the outbox, before its answer.

    With --local nothing is recorded, and it is said what that means.

    Raises:
        InputRejected: READER_MISSING, nobody is named who reads.
    """
    from consentry.recorded_trail import RecordedTrail

    check_reader(context)
    with open_trail(context) as trail:
        if context.local:
            yield trail
            note(_LOCAL)
            return
        with context.connect() as ledger:

            def record(question: str, *, concerned: list[str], row_count: int, last_block: int) -> None:
                on_ledger = ledger.trail_reads.record_or_keep(
                    question, concerned=concerned, row_count=row_count, last_block=last_block
                )
                if not on_ledger:
                    note(_WAITS)

            yield RecordedTrail(trail.engine, record)


def record_report(context: CommandContext, report: Report, data: bytes) -> None:
    """Put a report that somebody asked for on the ledger, with the digest of its bytes.

    Raises:
        InputRejected: READER_MISSING.
    """
    from consentry.recorded_trail import concerned_in

    check_reader(context)
    if context.local:
        note(_LOCAL)
        return
    with context.connect() as ledger:
        on_ledger = ledger.trail_reads.record_or_keep(
            "report",
            concerned=concerned_in((text for _, text in report.facts), found=True),
            row_count=sum(len(table.rows) for table in report.tables),
            last_block=report.completeness.last_block,
            report=report.kind,
            report_bytes=data,
        )
    if not on_ledger:
        note(_WAITS)


def check_reader(context: CommandContext) -> None:
    """Refuse a read of nobody; raises InputRejected READER_MISSING."""
    if not (context.who or context.local):
        raise InputRejected(
            "READER_MISSING",
            "Say with --as ORGANIZATION/LABEL who reads, for reads are recorded on the ledger; "
            "or with --local that this one stays off the record.",
        )
