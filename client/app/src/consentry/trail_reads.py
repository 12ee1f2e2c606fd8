"""Reads of the trail, put on the trail: one record a question or report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consentry.errors import ConsentryError, InputRejected, LedgerRefused
from consentry.identifiers import new_identifier
from consentry.trail_read_outbox import TrailReadOutbox
from consentry.transactions import Transactions, checked
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant
from consentry_records.trail_read import MAXIMUM_CONCERNED, NewTrailRead

# An earlier try, whose answer was lost, put it there.
_DONE = "TRAIL_READ_EXISTS"


@dataclass(frozen=True, slots=True)
class SentReads:
    """What sending did: how many reads were recorded and refused, and how many wait still."""

    recorded: int
    refused: int
    waiting: int


class TrailReads:
    """Records what the caller asked of the trail, later where the ledger cannot be reached."""

    def __init__(
        self, transactions: Transactions, outbox: Callable[[], TrailReadOutbox], clock: Callable[[], datetime]
    ) -> None:
        self._transactions = transactions
        self._outbox = outbox
        self._clock = clock

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
        read = new_read(question, concerned, row_count, last_block, report, report_bytes, trail_read_id)
        self._transactions.submit("trail:record_read", read)
        return read

    def record_or_keep(
        self,
        question: str,
        *,
        concerned: Sequence[str],
        row_count: int,
        last_block: int,
        report: str | None = None,
        report_bytes: bytes | None = None,
    ) -> bool:
        """Record one read, or keep it in the outbox with its time where the ledger gives no answer.

        Reads that waited are sent first. Arguments as for `record`.

        Returns:
            Whether it is on the ledger; False if it waits.

        Raises:
            InputRejected: a value is not of its form.
            LedgerRefused: the caller may not read, for its read cannot be recorded.
        """
        read = new_read(question, concerned, row_count, last_block, report, report_bytes)
        if not self.send().waiting:
            try:
                self._transactions.submit("trail:record_read", read)
            except (LedgerRefused, InputRejected):
                raise
            except ConsentryError:
                # Unreachable, or unknown whether it was recorded: its id keeps it from being there twice.
                pass
            else:
                return True
        self.keep(read)
        return False

    def keep(self, read: NewTrailRead) -> None:
        """Keep a read in the outbox with its time, for `send`; it is on disk when this returns."""
        self._outbox().keep(replace(read, claimed_at=format_instant(self._clock())))

    def waiting(self) -> tuple[NewTrailRead, ...]:
        """Return the reads that wait, oldest first."""
        return self._outbox().waiting()

    def send(self) -> SentReads:
        """Record what waits, oldest first; stop where the ledger gives no answer."""
        outbox = self._outbox()
        waiting = outbox.waiting()
        recorded = refused = 0
        for read in waiting:
            try:
                code = self._submit(read)
            except ConsentryError:
                break
            if code:
                outbox.refuse(read.trail_read_id, code)
                refused += 1
            else:
                outbox.settle(read.trail_read_id)
                recorded += 1
        return SentReads(recorded, refused, len(waiting) - recorded - refused)

    def _submit(self, read: NewTrailRead) -> str:
        """Submit a read; the code of a refusal, empty where it is on the ledger."""
        try:
            self._transactions.submit("trail:record_read", read)
        except LedgerRefused as error:
            return "" if error.code == _DONE else error.code
        return ""


def new_read(
    question: str,
    concerned: Sequence[str],
    row_count: int,
    last_block: int,
    report: str | None = None,
    report_bytes: bytes | None = None,
    trail_read_id: str | None = None,
    *,
    shown_to: str | None = None,
    sign_in_digest: str | None = None,
) -> NewTrailRead:
    """A read to be recorded; arguments as for `TrailReads.record`, and as `NewTrailRead` has them.

    Raises:
        InputRejected: a value is not of its form.
    """
    return checked(
        lambda: NewTrailRead(
            trail_read_id=trail_read_id or new_identifier("trailread"),
            question=question,
            concerned=tuple(dict.fromkeys(concerned))[:MAXIMUM_CONCERNED],
            row_count=row_count,
            last_block=last_block,
            report=report,
            report_digest=None if report_bytes is None else sha256_digest(report_bytes),
            claimed_at=None,
            shown_to=shown_to,
            sign_in_digest=sign_in_digest,
        )
    )
