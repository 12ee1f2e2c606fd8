"""The outbox: what a trainer states while the ledger cannot be reached, signed at once and recorded later.

Only rounds and ends of sessions that were started on the ledger are stated off-line; access is never decided
here. An entry is a signed statement, not a proposal: peers refuse proposals whose time is far from theirs.
Each is sent in a fresh proposal, in order, with the time that its trainer claims (DESIGN §7).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from consentry.errors import ConfigurationError, ConsentryError, LedgerRefused
from consentry.identity import WalletIdentity
from consentry.outbox_file import open_outbox_file
from consentry.running_sessions import RunningSessions
from consentry.transactions import CONFLICT_TRIES, Transactions
from consentry_records.errors import LedgerError
from consentry_records.instants import format_instant
from consentry_records.training import FAILED, FinishedSession, NewTrainingRound
from consentry_records.training_statement import NewTrainingStatement, SignedTrainingStatement

QUEUED = "queued"
RECORDED = "recorded"
REFUSED = "refused"
_LOST = "PROCESS_LOST"
# What is stated is on the ledger already: an earlier try, whose answer was lost, put it there.
_DONE = frozenset({"ROUND_EXISTS", "STATEMENT_EXISTS", "SESSION_NOT_RUNNING"})
# The contract itself failed: no word on the statement.
_FAULT = "INTERNAL_ERROR"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS statements (
    position INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    statement BLOB NOT NULL,
    signature BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'recorded', 'refused')),
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (session_id, sequence)
)
"""


_Row = tuple[int, bytes, bytes, str, str]


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One statement: its session, number there, claimed time, what it states, and what became of it.

    `state` is queued, recorded or refused; `reason` is the ledger's code where it was refused.
    """

    session_id: str
    sequence: int
    claimed_time: str
    what: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class OutboxSummary:
    """What sending did: how many entries were recorded and refused, and how many wait still."""

    recorded: int
    refused: int
    waiting: int


class Outbox:
    """One identity's statements in a SQLite file (0600); usable by many threads."""

    def __init__(
        self, path: Path, identity: WalletIdentity, transactions: Transactions, clock: Callable[[], datetime]
    ) -> None:
        """Open the file, creating it (and its directory, 0700) where it is missing.

        Raises:
            ConfigurationError: PATH_EXPOSED, others may read it; OUTBOX_INVALID, it is none of ours.
        """
        self._identity = identity
        self._transactions = transactions
        self._clock = clock
        self._lock = threading.RLock()
        self.running = RunningSessions(path.with_suffix(".running"))
        self._connection = open_outbox_file(path, _SCHEMA)

    def state_round(self, training_round: NewTrainingRound) -> OutboxEntry:
        """Sign and keep a round; it is synced to disk when this returns."""
        return self._state(training_round.session_id, training_round, None)

    def state_end(self, finished: FinishedSession) -> OutboxEntry:
        """Sign and keep the end of a session, why it failed and what it used."""
        return self._state(finished.session_id, None, finished)

    def state_lost(self) -> tuple[str, ...]:
        """State the end, failed, of every session whose process died; return the sessions."""
        lost = self.running.lost()
        for session_id in lost:
            self.state_end(FinishedSession(session_id=session_id, state=FAILED, failure=_LOST))
            self.running.unmark(session_id)
        return lost

    def holds(self, session_id: str) -> bool:
        """Whether entries of a session wait: whatever follows them has to wait, too."""
        return bool(self._select("WHERE state = 'queued' AND session_id = ?", (session_id,)))

    @property
    def waits(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._select("WHERE state = 'queued'"))

    def entries(self) -> tuple[OutboxEntry, ...]:
        """Return every entry in order."""
        rows = self._select("")
        return tuple(_entry(statement, state, reason) for _, statement, _, state, reason in rows)

    def send(self, progress: Callable[[int, int], None] | None = None) -> OutboxSummary:
        """Send what waits, in order, each in a fresh proposal; stop where the ledger gives no answer.

        A refusal is kept with the entry and the next one is sent. `progress` is called with (sent, total).
        """
        with self._lock:
            waiting = self._select("WHERE state = 'queued'")
            tally = {RECORDED: 0, REFUSED: 0}
            for number, (position, data, signature, _, _) in enumerate(waiting, start=1):
                try:
                    state, reason = self._send(NewTrainingStatement.from_bytes(data), signature)
                except ConsentryError:
                    break
                self._mark(position, state, reason)
                tally[state] += 1
                if progress is not None:
                    progress(number, len(waiting))
            left = len(waiting) - sum(tally.values())
        return OutboxSummary(tally[RECORDED], tally[REFUSED], left)

    def close(self) -> None:
        """Close the file."""
        self.running.close()
        with self._lock:
            self._connection.close()

    def _state(
        self, session_id: str, stated: NewTrainingRound | None, end: FinishedSession | None
    ) -> OutboxEntry:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                (last,) = self._connection.execute(
                    "SELECT coalesce(max(sequence), 0) FROM statements WHERE session_id = ?", (session_id,)
                ).fetchone()
                statement = NewTrainingStatement(
                    session_id=session_id,
                    sequence=last + 1,
                    claimed_time=format_instant(self._clock()),
                    round=stated,
                    end=end,
                )
                data = statement.to_bytes()
                self._connection.execute(
                    "INSERT INTO statements (session_id, sequence, statement, signature, state) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (session_id, last + 1, data, self._identity.sign(statement.signed_bytes()), QUEUED),
                )
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        return _entry(data, QUEUED, "")

    def _send(self, statement: NewTrainingStatement, signature: bytes) -> tuple[str, str]:
        if not self._identity.has_signed(statement.signed_bytes(), signature):
            # The key was renewed since: the ledger checks signatures by the sender's certificate.
            signature = self._identity.sign(statement.signed_bytes())
        signed = SignedTrainingStatement(statement=statement, signature=signature.hex())
        try:
            self._transactions.submit("training:record_statement", signed, tries=CONFLICT_TRIES)
        except LedgerRefused as error:
            if error.code == _FAULT:
                raise
            return (RECORDED, error.code) if error.code in _DONE else (REFUSED, error.code)
        return RECORDED, ""

    def _mark(self, position: int, state: str, reason: str) -> None:
        self._connection.execute(
            "UPDATE statements SET state = ?, reason = ? WHERE position = ?", (state, reason, position)
        )

    def _select(self, condition: str, parameters: tuple[str, ...] = ()) -> list[_Row]:
        columns = "position, statement, signature, state, reason"
        query = f"SELECT {columns} FROM statements {condition} ORDER BY position"  # noqa: S608 - own text
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()


def _entry(data: bytes, state: str, reason: str) -> OutboxEntry:
    try:
        statement = NewTrainingStatement.from_bytes(data)
    except LedgerError as error:
        raise ConfigurationError("OUTBOX_INVALID", f"an entry cannot be read: {error.code}") from error
    end = statement.end.state if statement.end is not None else ""
    what = f"round {statement.round.number}" if statement.round is not None else f"end: {end}"
    return OutboxEntry(statement.session_id, statement.sequence, statement.claimed_time, what, state, reason)
