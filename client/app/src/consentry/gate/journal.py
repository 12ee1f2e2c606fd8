"""What the gate has given out and not yet seen on the ledger, in a file that outlives the gate.

Each block is noted before it is sent, so that a gate that is killed records at its next start at least what
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
    "version_id TEXT NOT NULL, first_block INTEGER NOT NULL, first_row INTEGER NOT NULL, "
    "started_at TEXT NOT NULL, end TEXT, ended_at TEXT, PRIMARY KEY (attempt_id, number))",
    "CREATE TABLE IF NOT EXISTS blocks (attempt_id TEXT NOT NULL, number INTEGER NOT NULL, "
    "block INTEGER NOT NULL, reasons TEXT NOT NULL, bytes INTEGER NOT NULL, at TEXT NOT NULL, "
    "PRIMARY KEY (attempt_id, number, block))",
)


@dataclass(frozen=True, slots=True)
class NotedDelivery:
    """A delivery in the journal; `end` is None while it runs, or was running when the gate broke down."""

    attempt_id: str
    number: int
    version_id: str
    first_block: int
    first_row: int
    started_at: str
    end: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class NotedBlock:
    """A block that was sent: a letter for each row (why it was left out, "-" if it was not), bytes, when."""

    block: int
    reasons: str
    bytes: int
    at: str


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
            # A kill of the process loses nothing that was written; no sync for each block is needed for that.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("BEGIN EXCLUSIVE")
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
                "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
                (
                    delivery.attempt_id,
                    delivery.number,
                    delivery.version_id,
                    delivery.first_block,
                    delivery.first_row,
                    delivery.started_at,
                ),
            )

    def note(self, attempt_id: str, number: int, block: NotedBlock) -> None:
        """Note a block before it is sent."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
                (attempt_id, number, block.block, block.reasons, block.bytes, block.at),
            )

    def end(self, attempt_id: str, number: int, end: str, ended_at: str) -> None:
        """Note how a delivery ended; what was noted first stays."""
        with self._lock:
            self._connection.execute(
                "UPDATE deliveries SET end = ?, ended_at = ? "
                "WHERE attempt_id = ? AND number = ? AND end IS NULL",
                (end, ended_at, attempt_id, number),
            )

    def settle(self, attempt_id: str, number: int) -> None:
        """Forget a delivery that is on the ledger."""
        with self._lock:
            for table in ("blocks", "deliveries"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE attempt_id = ? AND number = ?",  # noqa: S608
                    (attempt_id, number),
                )

    def deliveries(self, attempt_id: str | None = None) -> list[NotedDelivery]:
        """Return the deliveries, all or one attempt's, in their order."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT attempt_id, number, version_id, first_block, first_row, started_at, end, ended_at "
                "FROM deliveries WHERE ? IS NULL OR attempt_id = ? ORDER BY attempt_id, number",
                (attempt_id, attempt_id),
            ).fetchall()
        return [NotedDelivery(*row) for row in rows]

    def blocks(self, attempt_id: str, number: int) -> Sequence[NotedBlock]:
        """Return the blocks that were sent, in their order."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT block, reasons, bytes, at FROM blocks "
                "WHERE attempt_id = ? AND number = ? ORDER BY block",
                (attempt_id, number),
            ).fetchall()
        return [NotedBlock(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
