"""Reads of the trail that wait to be recorded: the ledger could not be reached when they were made."""

from __future__ import annotations

import threading
from pathlib import Path
from types import MappingProxyType

from consentry.errors import ConfigurationError
from consentry.outbox_file import open_outbox_file
from consentry_records.canonical import decode
from consentry_records.errors import LedgerError
from consentry_records.trail_read import NewTrailRead

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trail_reads (
    position INTEGER PRIMARY KEY,
    trail_read_id TEXT NOT NULL UNIQUE,
    trail_read BLOB NOT NULL,
    refused TEXT NOT NULL DEFAULT ''
)
"""

# What reads that wait since an earlier release do not have.
_LATER_FIELDS = MappingProxyType({"shown_to": None, "sign_in_digest": None})


class TrailReadOutbox:
    """One identity's reads in a SQLite file (0600); usable by many threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it (and its directory, 0700) where it is missing.

        Raises:
            ConfigurationError: PATH_EXPOSED, others may read it; OUTBOX_INVALID, it is none of ours.
        """
        self._lock = threading.RLock()
        self._connection = open_outbox_file(path, _SCHEMA)

    def keep(self, read: NewTrailRead) -> None:
        """Keep a read; it is synced to disk when this returns."""
        self._change(
            "INSERT OR IGNORE INTO trail_reads (trail_read_id, trail_read) VALUES (?, ?)",
            (read.trail_read_id, read.to_bytes()),
        )

    def waiting(self) -> tuple[NewTrailRead, ...]:
        """The reads that wait, oldest first.

        Raises:
            ConfigurationError: OUTBOX_INVALID.
        """
        query = "SELECT trail_read FROM trail_reads WHERE refused = '' ORDER BY position"
        with self._lock:
            rows = self._connection.execute(query).fetchall()
        try:
            return tuple(NewTrailRead.from_dict({**_LATER_FIELDS, **decode(data)}) for (data,) in rows)
        except LedgerError as error:
            raise ConfigurationError("OUTBOX_INVALID", f"a read cannot be read: {error.code}") from error

    def settle(self, trail_read_id: str) -> None:
        """Forget a read that is on the ledger."""
        self._change("DELETE FROM trail_reads WHERE trail_read_id = ?", (trail_read_id,))

    def refuse(self, trail_read_id: str, code: str) -> None:
        """Keep a read that the ledger refused aside, with its code."""
        self._change("UPDATE trail_reads SET refused = ? WHERE trail_read_id = ?", (code, trail_read_id))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _change(self, statement: str, parameters: tuple[str | bytes, ...]) -> None:
        with self._lock:
            self._connection.execute(statement, parameters)
