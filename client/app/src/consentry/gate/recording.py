"""Recording what was given out: at once where the ledger answers, again and again where it does not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from consentry.errors import ConsentryError, LedgerRefused
from consentry.gate.consented_pieces import GIVEN_OUT
from consentry.gate.delivering import Tally
from consentry.gate.journal import Journal, NotedDelivery
from consentry.gate.projection import value_key
from consentry.gate.row_blocks import consent_bytes, leaf_hashes
from consentry.ledger import Ledger
from consentry_records.delivery import Delivery, NewDelivery
from consentry_records.digest import digest_bytes
from consentry_records.record import field_names

_RETRY_SECONDS = 2.0
_TIDY_SECONDS = 600.0
_log = logging.getLogger(__name__)


class Recorder:
    """Brings the journal's deliveries onto the ledger, each once, in their order."""

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        is_running: Callable[[str], bool],
        tidy_up: Callable[[], object] = lambda: None,
    ) -> None:
        """`is_running` says whether an attempt's delivery is under way in this process; `tidy_up` is called
        every ten minutes.
        """
        self._tidy_up = tidy_up
        self._tidy_at = time.monotonic()
        self._ledger = ledger
        self._journal = journal
        self._is_running = is_running
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="consentry-record", daemon=True)

    def start(self) -> None:
        """End what an earlier run left open, and record what the ledger does not have."""
        for noted in self._journal.deliveries():
            if noted.differs:
                _say_differs(noted.attempt_id, noted.number)
            if noted.end is None:
                pieces = self._journal.pieces(noted.attempt_id, noted.number)
                at = pieces[-1].at if pieces else noted.started_at
                self._journal.end(noted.attempt_id, noted.number, "gate-restarted", at)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is not recorded waits for the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def record(self, record: NewDelivery) -> bool:
        """Submit a record; return whether it is on the ledger by now. If not, the journal keeps it.

        Where the ledger has one under its number already, it counts if it says the same. One that says
        something else is an error: it is logged, the record stays in the journal and is not submitted again.
        """
        with self._lock:
            try:
                same = self._submitted(record)
            except ConsentryError as error:
                _log.warning("delivery %d of %s waits: %s", record.number, record.attempt_id, error.code)
                return False
            if not same:
                self._journal.keep(record.attempt_id, record.number)
                _say_differs(record.attempt_id, record.number)
                return False
            self._journal.settle(record.attempt_id, record.number)
            return True

    def _submitted(self, record: NewDelivery) -> bool:
        """Submit a record; return whether the ledger has it by now, or (False) another one in its place."""
        try:
            self._ledger.transactions.submit("deliveries:record", record)
        except LedgerRefused as error:
            if error.code != "DELIVERY_EXISTS":
                raise
            found = self._ledger.transactions.evaluate("deliveries:of_attempt", record.attempt_id)
            known = {one["number"]: Delivery.from_dict(one) for one in found}
            if record.number not in known:
                raise  # the own peer learns of it a moment later
            there = known[record.number]
            return all(getattr(there, name) == getattr(record, name) for name in field_names(NewDelivery))
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
                waits = noted.end is not None and not noted.differs
                if waits and not self._is_running(noted.attempt_id):
                    self.record_noted(noted)
                if self._stop.is_set():
                    return
            if time.monotonic() >= self._tidy_at:
                self._tidy_at = time.monotonic() + _TIDY_SECONDS
                self._tidied_up()
            if self._stop.wait(_RETRY_SECONDS):
                return

    def _tidied_up(self) -> None:
        try:
            self._tidy_up()
        except (ConsentryError, OSError) as error:
            _log.warning(
                "what is over could not be removed: %s", getattr(error, "code", type(error).__name__)
            )

    def _from_journal(self, noted: NotedDelivery) -> NewDelivery:
        """What was given out, from the noted pieces and the register's rows."""
        version = self._ledger.datasets.get(noted.version_id)
        secret = self._ledger.datasets.secret(version.name).secret
        tally = Tally(value_key(secret, noted.attempt_id) if noted.is_part else secret)
        rows = self._ledger.datasets.registered_rows(noted.version_id)
        position = noted.first_row
        for piece in self._journal.pieces(noted.attempt_id, noted.number):
            registered = rows(position, position + len(piece.reasons))
            digests = [digest_bytes(row.row_digest) for row in registered]
            subjects = [digest_bytes(row.commitment) for row in registered]
            consents = [consent_bytes(row.consent_id) for row in registered]
            given_out = piece.values
            if given_out is None:
                pairs = zip(digests, piece.reasons, strict=True)
                given_out = b"".join(digest for digest, letter in pairs if letter == GIVEN_OUT)
            tally.add(given_out, leaf_hashes(digests, subjects, consents), piece.reasons, piece.bytes)
            position += len(piece.reasons)
        return tally.record(noted, noted.end or "gate-restarted", noted.ended_at or noted.started_at)


def _say_differs(attempt_id: str, number: int) -> None:
    _log.error(
        "delivery %d of %s is on the ledger with other contents than this gate gave out; what it gave out "
        "stays in its journal (deliveries.sqlite), unrecorded: find out who else records for this custodian",
        number,
        attempt_id,
    )
