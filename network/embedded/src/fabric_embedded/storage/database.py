"""Opening SQLite files so that a commit means synced, and checking what a checkpoint left behind."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import schema

_BUSY_SECONDS = 30.0
_CACHE_KIBIBYTES = 32_768


def connect(path: Path, *, must_exist: bool = False) -> sqlite3.Connection:
    """Open a file for reading and writing; a new file is readable by its owner only.

    Transactions are explicit. The connection may move between threads, but is for one at a time.

    Raises:
        LedgerError: LEDGER_UNREADABLE, if it is missing and `must_exist`, or is no SQLite file of ours.
    """
    try:
        if must_exist and not path.is_file():
            raise LedgerError("LEDGER_UNREADABLE", f"no ledger file at {path}: bring the network up first")
        # SQLite gives the write-ahead log and the shared memory file the permissions of the main file. Only
        # a new file is opened here: closing any descriptor of a file ends all locks of this process on it,
        # and another process that reads it then takes itself for the only one and removes the log.
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=0",
            "temp_store=MEMORY",
            "secure_delete=ON",
            f"cache_size=-{_CACHE_KIBIBYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except (OSError, sqlite3.Error) as error:
        raise LedgerError("LEDGER_UNREADABLE", f"cannot open the ledger file {path}: {error}") from error
    return connection


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing file for reading; the connection may move between threads, one at a time.

    Raises:
        LedgerError: LEDGER_UNREADABLE.
    """
    connection = connect(path, must_exist=True)
    connection.execute("PRAGMA query_only=ON")
    return connection


def create_schema(
    connection: sqlite3.Connection, statements: tuple[str, ...], conversion: tuple[str, ...] = ()
) -> None:
    """Create the tables of a new file, or take over those of an earlier version; in one transaction.

    Parameters:
        connection: to the file, for writing.
        statements: what makes the tables.
        conversion: what makes them of an earlier version's.

    Raises:
        LedgerError: LEDGER_VERSION, if the file was written by a version of this software that is not known.
    """
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found not in (0, schema.VERSION, *schema.COMPATIBLE):
        raise LedgerError(
            "LEDGER_VERSION",
            f"the ledger has format {found}, expected {schema.VERSION}: use the version that wrote it",
        )
    if found != schema.VERSION:
        connection.execute("BEGIN IMMEDIATE")
        for statement in conversion if found else statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={schema.VERSION}")
        connection.execute("COMMIT")


def checkpoint_passively(connection: sqlite3.Connection) -> None:
    """Copy what no reader holds back from the write-ahead log into the file; waits for nobody."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def truncate_log(connection: sqlite3.Connection) -> bool:
    """Copy the whole write-ahead log into the file and cut it to nothing.

    Returns:
        Whether it was; False while somebody still reads an older state.
    """
    connection.execute("PRAGMA busy_timeout=0")
    try:
        blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")
    return not blocked


def log_bytes(path: Path) -> int:
    """Size of a file's write-ahead log in bytes."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0
