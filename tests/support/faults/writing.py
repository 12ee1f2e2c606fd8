"""Clients that write all the while, and the history that they keep."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consentry.errors import (
    ConsentryError,
    LedgerRefused,
    LedgerUnreachable,
    NetworkRefused,
    TransactionInvalid,
)
from consentry.identifiers import new_identifier
from consentry.ledger import Ledger, connect
from consentry.wallet import WalletIdentity
from consentry_records.access import NewAccessAttempt
from fabric_gateway import Timeouts

COMMITTED, NOT_WRITTEN, UNKNOWN = "committed", "not written", "unknown"
# What the client's errors promise; whatever else is raised leaves it open.
_NOT_WRITTEN = (LedgerRefused, NetworkRefused, LedgerUnreachable, TransactionInvalid)
_TIMEOUTS = Timeouts(evaluate=5.0, endorse=6.0, submit=5.0, commit_status=20.0)
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Write:
    """One attempt: its id, who made it, when he began and knew, and what he was told."""

    attempt_id: str
    writer: str
    started: float
    ended: float
    outcome: str
    code: str


@dataclass
class Writer:
    """One organization's researcher, who attempts access again and again until he is told to end."""

    organization: str
    directory: Path
    identity: WalletIdentity
    versions: Sequence[str]
    history: list[Write] = field(default_factory=list)
    failure: BaseException | None = None
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._write, name=f"writer-{self.organization}")
        self._thread.start()

    def end(self) -> None:
        """End after the write that is on its way."""
        self._end.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def recovered_after(self, moment: float) -> float | None:
        """Seconds from a moment to the first commit of a write that was begun after it; None for none yet."""
        found = [item.ended for item in self.history if item.started >= moment and item.outcome == COMMITTED]
        return found[0] - moment if found else None

    def _write(self) -> None:
        try:
            with connect(self.directory, self.identity, timeouts=_TIMEOUTS) as ledger:
                number = 0
                while not self._end.is_set():
                    self._attempt(ledger, self.versions[number % len(self.versions)])
                    number += 1
                    self._end.wait(_PAUSE_SECONDS)
        except BaseException as error:
            self.failure = error

    def _attempt(self, ledger: Ledger, version: str) -> None:
        attempt = NewAccessAttempt(
            attempt_id=new_identifier("attempt"), version_id=version, purpose="TREAT", commercial=False
        )
        started, outcome, code = time.monotonic(), COMMITTED, ""
        try:
            ledger.transactions.submit("access:attempt", attempt)
        except ConsentryError as error:
            outcome = NOT_WRITTEN if isinstance(error, _NOT_WRITTEN) else UNKNOWN
            code = error.code
        self.history.append(
            Write(attempt.attempt_id, self.organization, started, time.monotonic(), outcome, code)
        )
