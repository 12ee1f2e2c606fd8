"""The custodian's own SQLite file (0600): what links commitments on the ledger to people and rows.

Losing it breaks the link for good; whoever reads it can link. It belongs in the hospital's backups and
nowhere else.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consentry import custody_schema
from consentry.errors import ConfigurationError
from consentry.private_files import FILE_MODE, make_private_directory, refuse_exposed

_BUSY_SECONDS = 30.0
_CACHE_KIB = 32 * 1024
# Pages that several batches of an import change are copied into the file once.
_CHECKPOINT_PAGES = 8192


class CustodyStore:
    """One connection to the custodian's file, shared by the threads of a process under a lock."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it (and its directory, 0700) where it is missing.

        Raises:
            ConfigurationError: PATH_EXPOSED, others may read it; CUSTODY_INVALID, it is none of ours.
        """
        self.path = path
        make_private_directory(path.parent)
        # SQLite gives its side files the mode of the main file, so that one has to be right from the start.
        # An existing one is not opened: closing any descriptor of a file ends all locks of this process on
        # it, and another process then takes itself for the only one and removes the write-ahead log.
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        refuse_exposed(path)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise ConfigurationError("CUSTODY_INVALID", f"{path} is no custody file: {error}") from error
        except ConfigurationError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        # Salts are of use only if they outlive the ledger's record of their commitments.
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA secure_delete=ON")
        self._connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        self._connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        with self.writing() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                custody_schema.create(connection)
            elif version == 1:
                custody_schema.migrate(connection)
            elif version != custody_schema.VERSION:
                raise ConfigurationError(
                    "CUSTODY_INVALID",
                    f"{self.path}: got version {version}, expected {custody_schema.VERSION}",
                )
        self._connection.execute("PRAGMA foreign_keys=ON")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one writer's lock for a transaction: committed on leaving, undone by an exception.

        One within another is part of that other.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Use the connection for reads."""
        with self._lock:
            yield self._connection

    def forget(self) -> None:
        """Move deletions (zeros) from the write-ahead log into the file, and empty the log.

        Raises:
            ConfigurationError: CUSTODY_BUSY, another process reads the file; try again.
        """
        with self._lock:
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise ConfigurationError("CUSTODY_BUSY", f"{self.path} is being read; end that and try again")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
