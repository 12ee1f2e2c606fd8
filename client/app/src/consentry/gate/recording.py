"""Recording what was given out: at once where the ledger answers, again and again where it does not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from consentry.errors import ConsentryError, LedgerRefused
from consentry.gate.delivering import Tally
from consentry.gate.journal import Journal, NotedDelivery
from consentry.gate.row_blocks import consent_bytes, leaf_hashes
from consentry.ledger import Ledger
from consentry_records.delivery import NewDelivery
from consentry_records.digest import digest_bytes

_RETRY_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Recorder:
    """Brings the journal's deliveries onto the ledger, each once, in their order."""

    def __init__(self, ledger: Ledger, journal: Journal, is_running: Callable[[str], bool]) -> None:
        """`is_running` says whether an attempt's delivery is under way in this process."""
        self._ledger = ledger
        self._journal = journal
        self._is_running = is_running
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="consentry-record", daemon=True)

    def start(self) -> None:
        """End what an earlier run left open, and record what the ledger does not have."""
        for noted in self._journal.deliveries():
            if noted.end is None:
                blocks = self._journal.blocks(noted.attempt_id, noted.number)
                at = blocks[-1].at if blocks else noted.started_at
                self._journal.end(noted.attempt_id, noted.number, "gate-restarted", at)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is not recorded waits for the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def record(self, record: NewDelivery) -> bool:
        """Submit a record; return whether it is on the ledger by now. If not, the journal keeps it."""
        with self._lock:
            try:
                self._ledger.transactions.submit("deliveries:record", record)
            except ConsentryError as error:
                if not (isinstance(error, LedgerRefused) and error.code == "DELIVERY_EXISTS"):
                    _log.warning("delivery %d of %s waits: %s", record.number, record.attempt_id, error.code)
                    return False
            self._journal.settle(record.attempt_id, record.number)
            return True

    def record_noted(self, noted: NotedDelivery) -> None:
        """Record a delivery from the journal alone; a warning says where that cannot be done yet."""
        try:
            self.record(self._from_journal(noted))
        except ConsentryError as error:
            _log.warning("delivery %d of %s waits: %s", noted.number, noted.attempt_id, error.code)

    def _go_on(self) -> None:
        while True:
            for noted in self._journal.deliveries():
                if noted.end is not None and not self._is_running(noted.attempt_id):
                    self.record_noted(noted)
                if self._stop.is_set():
                    return
            if self._stop.wait(_RETRY_SECONDS):
                return

    def _from_journal(self, noted: NotedDelivery) -> NewDelivery:
        """What was given out, from the noted blocks and the register's rows."""
        version = self._ledger.datasets.get(noted.version_id)
        tally = Tally(self._ledger.datasets.secret(version.name).secret)
        rows = self._ledger.datasets.registered_rows(noted.version_id)
        position = noted.first_row
        for block in self._journal.blocks(noted.attempt_id, noted.number):
            registered = rows(position, position + len(block.reasons))
            digests = [digest_bytes(row.row_digest) for row in registered]
            subjects = [digest_bytes(row.commitment) for row in registered]
            consents = [consent_bytes(row.consent_id) for row in registered]
            tally.add(digests, leaf_hashes(digests, subjects, consents), block.reasons, block.bytes)
            position += len(block.reasons)
        return tally.record(noted, noted.end or "gate-restarted", noted.ended_at or noted.started_at)
