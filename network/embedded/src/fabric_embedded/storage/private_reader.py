"""Private data of one organization read from its own SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from fabric_embedded.storage.write_sets import WriteSet, read_write_sets
from fabric_protocol.state import Version, VersionedValue

_ONE = "SELECT value, block, position FROM data WHERE namespace = ? AND collection = ? AND key = ?"
_COLUMNS = "SELECT key, value, block, position FROM data WHERE namespace = ? AND collection = ?"
_PAGE = 128


class SqlitePrivateReader:
    """A `fabric_protocol.state.PrivateReader` over one connection; what it sees is up to the connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def get(self, namespace: str, collection: str, key: str) -> VersionedValue | None:
        """Private value of a key; None where this organization has none."""
        row = self._execute(_ONE, (namespace, collection, key.encode())).fetchone()
        return row and VersionedValue(row[0], b"", Version(row[1], row[2]))

    def scan(
        self, namespace: str, collection: str, start: str, end: str
    ) -> Iterator[tuple[str, VersionedValue]]:
        """Private keys in the order of their UTF-8 bytes; `start` included, `end` excluded, "" open."""
        upper = " AND key < ?" if end else ""
        bound = (end.encode(),) if end else ()
        first = f"{_COLUMNS} AND key >= ?{upper} ORDER BY key LIMIT {_PAGE}"
        following = f"{_COLUMNS} AND key > ?{upper} ORDER BY key LIMIT {_PAGE}"
        rows = self._execute(first, (namespace, collection, start.encode(), *bound)).fetchall()
        while rows:
            for key, value, block, position in rows:
                yield key.decode(), VersionedValue(value, b"", Version(block, position))
            if len(rows) < _PAGE:
                return
            rows = self._execute(following, (namespace, collection, rows[-1][0], *bound)).fetchall()

    def write_sets(self, block: int) -> list[WriteSet]:
        """What a block's transactions wrote to the collections that this organization holds."""
        return read_write_sets(self._connection, block)
