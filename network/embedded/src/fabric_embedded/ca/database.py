"""The CA service's database (SQLite): tables, and transactions that are synced before anybody is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identities (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, salt BLOB NOT NULL, secret_hash BLOB NOT NULL,
    max_enrollments INTEGER NOT NULL, enrollments INTEGER NOT NULL DEFAULT 0,
    failed_logins INTEGER NOT NULL DEFAULT 0, attributes TEXT NOT NULL,
    affiliation TEXT NOT NULL DEFAULT '', revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS certificates (
    serial TEXT NOT NULL, aki TEXT NOT NULL, id TEXT NOT NULL, pem BLOB NOT NULL,
    expiry INTEGER NOT NULL DEFAULT 0, revoked_at INTEGER, reason INTEGER, PRIMARY KEY (serial, aki)
) STRICT;
CREATE INDEX IF NOT EXISTS certificates_by_id ON certificates (id);
CREATE TABLE IF NOT EXISTS affiliations (name TEXT PRIMARY KEY) STRICT;
"""
# What networks that were made before revocation and affiliations lack.
_LATER = (
    ("identities", "affiliation", "TEXT NOT NULL DEFAULT ''"),
    ("identities", "revoked", "INTEGER NOT NULL DEFAULT 0"),
    ("certificates", "expiry", "INTEGER NOT NULL DEFAULT 0"),
    ("certificates", "revoked_at", "INTEGER"),
    ("certificates", "reason", "INTEGER"),
)


def open_database(path: Path | None) -> sqlite3.Connection:
    """Open the database, creating what is missing.

    Parameters:
        path: database file, created with mode 0600; None keeps everything in memory.
    """
    if path is not None:
        path.touch(mode=0o600, exist_ok=True)
    # Requests are handled one at a time on the event loop's thread; only hashing happens elsewhere.
    database = sqlite3.connect(path or ":memory:", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.executescript(_SCHEMA)
    for table, column, kind in _LATER:
        if column not in [row[1] for row in database.execute(f"PRAGMA table_info({table})")]:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All of the changes inside, or none."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
