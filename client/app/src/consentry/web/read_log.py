"""What officers were shown, put on the ledger: kept on disk before the answer, sent at once after it."""

from __future__ import annotations

import logging
import threading

from consentry.errors import ConsentryError
from consentry.trail_reads import TrailReads, new_read
from consentry.web.officer import Officer
from fabric_gateway import Clock

_RETRY_SECONDS = 10.0
_log = logging.getLogger(__name__)


class LedgerReadLog:
    """A `ReadLog` in whose outbox a read is synced to disk before its answer; a thread of its own sends it.

    Args:
        reads: those of the serving identity.
        clock: this machine's.
    """

    def __init__(self, reads: TrailReads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock
        self._wanted = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._send, name="consentry-web-reads")
        self._wanted.set()
        self._thread.start()

    def __call__(
        self,
        officer: Officer,
        question: str,
        *,
        concerned: list[str],
        row_count: int,
        last_block: int,
        report: str | None = None,
        report_bytes: bytes | None = None,
    ) -> None:
        """Keep a read; it is on disk when this returns."""
        read = new_read(
            question,
            concerned,
            row_count,
            last_block,
            report,
            report_bytes,
            shown_to=officer.enrolment_id,
            sign_in_digest=officer.proof_digest,
        )
        self._reads.keep(read)
        self._wanted.set()

    def close(self) -> None:
        """Stop sending; what waits is sent by the next run."""
        self._is_closed = True
        self._wanted.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._is_closed:
            self._wanted.wait(_RETRY_SECONDS)
            self._wanted.clear()
            try:
                sent = self._reads.send()
            except ConsentryError as error:
                _log.warning("reads were not sent: %s", error.code)
                continue
            if sent.refused:
                _log.error("the ledger refused %d reads; they are kept aside", sent.refused)
