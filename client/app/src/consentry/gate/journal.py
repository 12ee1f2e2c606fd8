"""What the gate has given out and not yet seen on the ledger, in a file that outlives the gate.

Each piece is noted before it is sent, so that a gate that is killed records at its next start at least what
had left.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consentry.errors import ConfigurationError
from consentry.private_files import FILE_MODE, make_private_directory, refuse_exposed

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS deliveries (attempt_id TEXT NOT NULL, number INTEGER NOT NULL, "
    "version_id TEXT NOT NULL, first_row INTEGER NOT NULL, "
    "started_at TEXT NOT NULL, end TEXT, ended_at TEXT, is_part INTEGER NOT NULL DEFAULT 0, "
    "content TEXT, differs INTEGER NOT NULL DEFAULT 0, computation TEXT, PRIMARY KEY (attempt_id, number))",
    "CREATE TABLE IF NOT EXISTS pieces (attempt_id TEXT NOT NULL, number INTEGER NOT NULL, "
    "first_row INTEGER NOT NULL, reasons TEXT NOT NULL, bytes INTEGER NOT NULL, at TEXT NOT NULL, "
    "digests BLOB, PRIMARY KEY (attempt_id, number, first_row))",
)
# From the first form of the file, in which pieces were blocks; deliveries that wait in it are recorded.
_FROM_BLOCKS = (
    "ALTER TABLE blocks RENAME TO pieces",
    "ALTER TABLE pieces RENAME COLUMN block TO first_row",
    "ALTER TABLE deliveries DROP COLUMN first_block",
)
_ADDED = (
    ("deliveries", "is_part", "INTEGER NOT NULL DEFAULT 0"),
    ("deliveries", "content", "TEXT"),
    ("deliveries", "differs", "INTEGER NOT NULL DEFAULT 0"),
    ("deliveries", "computation", "TEXT"),
    ("pieces", "digests", "BLOB"),
)
Digests = bytes


@dataclass(frozen=True, slots=True)
class NotedDelivery:
    """A delivery in the journal; `end` is None while it runs, or was running when the gate broke down.

    `is_part` says that only some columns leave; `content` is the digest of what leaves where that is no rows;
    `differs` that the ledger has another record under its number, and this one is kept for a person to see;
    `computation` is the record of a function's run as JSON, where the rows were given to one.
    """

    attempt_id: str
    number: int
    version_id: str
    first_row: int
    started_at: str
    end: str | None
    ended_at: str | None
    is_part: bool = False
    content: str | None = None
    differs: bool = False
    computation: str | None = None


@dataclass(frozen=True, slots=True)
class NotedPiece:
    """A piece that was sent: a letter for each row (why it was left out, "-" if it was not), bytes, when.

    `values` are the digests of the values given out, joined, where only some columns leave.
    """

    first_row: int
    reasons: str
    bytes: int
    at: str
    values: Digests | None = None


class Journal:
    """Deliveries that are under way or wait to be recorded, in one SQLite file (0600)."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            ConfigurationError: PATH_EXPOSED; GATE_RUNNING, another gate uses it.
        """
        make_private_directory(path.parent)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        refuse_exposed(path)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.0)
        try:
            # One gate at a time: the lock is held until the process ends, however it ends.
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            # A kill of the process loses nothing that was written; no sync for each piece is needed for that.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("BEGIN EXCLUSIVE")
            self._carry_on()
            for statement in _SCHEMA:
                self._connection.execute(statement)
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise ConfigurationError("GATE_RUNNING", f"{path} is in use: another gate runs on it") from error

    def begin(self, delivery: NotedDelivery) -> None:
        """Note a delivery before its first byte."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO deliveries (attempt_id, number, version_id, first_row, started_at, "
                "is_part, content, computation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    delivery.attempt_id,
                    delivery.number,
                    delivery.version_id,
                    delivery.first_row,
                    delivery.started_at,
                    delivery.is_part,
                    delivery.content,
                    delivery.computation,
                ),
            )

    def note(self, attempt_id: str, number: int, piece: NotedPiece) -> None:
        """Note a piece before it is sent."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO pieces (attempt_id, number, first_row, reasons, bytes, at, digests) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (attempt_id, number, piece.first_row, piece.reasons, piece.bytes, piece.at, piece.values),
            )

    def end(
        self, attempt_id: str, number: int, end: str, ended_at: str, computation: str | None = None
    ) -> None:
        """Note how a delivery ended, and what a function's run gave; what was noted first stays."""
        with self._lock:
            self._connection.execute(
                "UPDATE deliveries SET end = ?, ended_at = ?, computation = COALESCE(?, computation) "
                "WHERE attempt_id = ? AND number = ? AND end IS NULL",
                (end, ended_at, computation, attempt_id, number),
            )

    def keep(self, attempt_id: str, number: int) -> None:
        """Keep a delivery of which the ledger has another record; nobody submits it again."""
        with self._lock:
            self._connection.execute(
                "UPDATE deliveries SET differs = 1 WHERE attempt_id = ? AND number = ?", (attempt_id, number)
            )

    def settle(self, attempt_id: str, number: int) -> None:
        """Forget a delivery that is on the ledger."""
        with self._lock:
            for table in ("pieces", "deliveries"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE attempt_id = ? AND number = ?",  # noqa: S608
                    (attempt_id, number),
                )

    def deliveries(self, attempt_id: str | None = None) -> list[NotedDelivery]:
        """Return the deliveries, all or one attempt's, in their order."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT attempt_id, number, version_id, first_row, started_at, end, ended_at, "
                "is_part, content, differs, computation FROM deliveries WHERE ? IS NULL OR attempt_id = ? "
                "ORDER BY attempt_id, number",
                (attempt_id, attempt_id),
            ).fetchall()
        return [NotedDelivery(*row) for row in rows]

    def pieces(self, attempt_id: str, number: int) -> Sequence[NotedPiece]:
        """Return the pieces that were sent, in their order."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT first_row, reasons, bytes, at, digests FROM pieces "
                "WHERE attempt_id = ? AND number = ? ORDER BY first_row",
                (attempt_id, number),
            ).fetchall()
        return [NotedPiece(*row) for row in rows]

    def _carry_on(self) -> None:
        found = self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'blocks'").fetchone()
        if not found:
            return
        for statement in _FROM_BLOCKS:
            self._connection.execute(statement)
        for table, column, kind in _ADDED:
            known = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            if column not in known:
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
