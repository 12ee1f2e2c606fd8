"""SQLite files in which what the ledger has not got yet waits, synced and for their owner alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from consentry.errors import ConfigurationError
from consentry.private_files import FILE_MODE, make_private_directory, refuse_exposed

_BUSY_SECONDS = 30.0


def open_outbox_file(path: Path, schema: str) -> sqlite3.Connection:
    """Open the file, creating it (0600, its directory 0700) with its table where it is missing.

    The connection commits each statement by itself; threads that share it need a lock of their own.

    Raises:
        ConfigurationError: PATH_EXPOSED, others may read it; OUTBOX_INVALID, it is none of ours.
    """
    make_private_directory(path.parent)
    if not path.exists():
        path.touch(FILE_MODE)
    refuse_exposed(path)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # One sync a commit, not one each of journal, file and directory: readers of the trail wait for it.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(schema)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ConfigurationError("OUTBOX_INVALID", f"{path} is no outbox: {error}") from error
    return connection
