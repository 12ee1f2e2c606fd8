"""Reads of the trail, put on the trail: one record a question or report."""

from __future__ import annotations

from collections.abc import Sequence

from consentry.identifiers import new_identifier
from consentry.transactions import Transactions, checked
from consentry_records.digest import sha256_digest
from consentry_records.trail_read import MAXIMUM_CONCERNED, NewTrailRead


class TrailReads:
    """Records what the caller asked of the trail."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def record(
        self,
        question: str,
        *,
        concerned: Sequence[str],
        row_count: int,
        last_block: int,
        report: str | None = None,
        report_bytes: bytes | None = None,
        trail_read_id: str | None = None,
    ) -> NewTrailRead:
        """Record one read, and return it with its id.

        Args:
            question: one of ``consentry_records.trail_read.QUESTIONS``.
            concerned: ids that were asked about; the first 64 are recorded.
            row_count: how many rows came back.
            last_block: the answer was complete up to this block.
            report: a report's kind, e.g. ``gdpr-15``.
            report_bytes: the report as it was delivered; only its digest goes to the ledger.
            trail_read_id: an id of the caller's choice, so that a second try records nothing twice.

        Raises:
            InputRejected: a value is not of its form.
            LedgerRefused, LedgerUnreachable: it is not on record.
        """
        read = checked(
            lambda: NewTrailRead(
                trail_read_id=trail_read_id or new_identifier("trailread"),
                question=question,
                concerned=tuple(concerned[:MAXIMUM_CONCERNED]),
                row_count=row_count,
                last_block=last_block,
                report=report,
                report_digest=None if report_bytes is None else sha256_digest(report_bytes),
            )
        )
        self._transactions.submit("trail:record_read", read)
        return read
