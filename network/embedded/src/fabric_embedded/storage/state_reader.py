"""Public state read from SQLite: what simulations and validation ask of a state database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence

from fabric_protocol.definitions import LIFECYCLE_NAMESPACE
from fabric_protocol.state import Version, VersionedValue, metadata_among

_ONE = "SELECT value, metadata, block, position FROM state WHERE namespace = ? AND key = ?"
_COLUMNS = "SELECT key, value, metadata, block, position FROM state WHERE namespace = ?"
_HASHED = (
    "SELECT value_hash, metadata, block, position FROM hashed_state"
    " WHERE namespace = ? AND collection = ? AND key_hash = ?"
)
_TOGETHER = 100
_PLACES = ", ".join("?" * _TOGETHER)
_MANY = f"{_COLUMNS} AND key IN ({_PLACES})"
_HASHED_COLUMNS = (
    "SELECT key_hash, value_hash, metadata, block, position FROM hashed_state"
    " WHERE namespace = ? AND collection = ?"
)
_MANY_HASHED = f"{_HASHED_COLUMNS} AND key_hash IN ({_PLACES})"
_METADATA = (
    "SELECT key, metadata FROM state INDEXED BY state_with_metadata"
    " WHERE metadata <> x'' AND namespace = ? AND key BETWEEN ? AND ? LIMIT ?"
)
_HASHED_METADATA = (
    "SELECT key_hash, metadata FROM hashed_state INDEXED BY hashed_with_metadata"
    " WHERE metadata <> x'' AND namespace = ? AND collection = ? AND key_hash BETWEEN ? AND ? LIMIT ?"
)
_PAGE = 128
_MOST_REMEMBERED = 16_384
_LARGEST_REMEMBERED = 1024


class SqliteStateReader:
    """A `fabric_protocol.state.StateReader` over one connection; what it sees is up to the connection.

    Parameters:
        connection: with an open read transaction for a fixed snapshot, without for the latest state.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        row = self._execute(_ONE, (namespace, key.encode())).fetchone()
        return row and VersionedValue(row[0], row[1], Version(row[2], row[3]))

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of `keys`."""
        whole = len(keys) - len(keys) % _TOGETHER
        found: dict[bytes, VersionedValue] = {}
        encoded = [key.encode() for key in keys]
        for start in range(0, whole, _TOGETHER):
            rows = self._execute(_MANY, (namespace, *encoded[start : start + _TOGETHER]))
            found.update({row[0]: _value(row) for row in rows})
        values = [found.get(key) for key in encoded[:whole]]
        # Not `get`, which may be another in a reader that remembers.
        return values + [SqliteStateReader.get(self, namespace, key) for key in keys[whole:]]

    def scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, VersionedValue]]:
        """Public keys in the order of their UTF-8 bytes; `start` included, `end` excluded, "" open.

        Reads page by page and keeps no statement open in between.
        """
        upper = " AND key < ?" if end else ""
        bound = (end.encode(),) if end else ()
        first = f"{_COLUMNS} AND key >= ?{upper} ORDER BY key LIMIT {_PAGE}"
        following = f"{_COLUMNS} AND key > ?{upper} ORDER BY key LIMIT {_PAGE}"
        rows = self._execute(first, (namespace, start.encode(), *bound)).fetchall()
        while rows:
            for row in rows:
                yield row[0].decode(), _value(row)
            if len(rows) < _PAGE:
                return
            rows = self._execute(following, (namespace, rows[-1][0], *bound)).fetchall()

    def get_hashed(self, namespace: str, collection: str, key_hash: bytes) -> VersionedValue | None:
        """Hash of a private value, with its version; None where the key is missing."""
        row = self._execute(_HASHED, (namespace, collection, key_hash)).fetchone()
        return row and VersionedValue(row[0], row[1], Version(row[2], row[3]))

    def get_many_hashed(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> list[VersionedValue | None]:
        """Hashes of several private values, in the order of `key_hashes`."""
        whole = len(key_hashes) - len(key_hashes) % _TOGETHER
        found: dict[bytes, VersionedValue] = {}
        for start in range(0, whole, _TOGETHER):
            wanted = key_hashes[start : start + _TOGETHER]
            rows = self._execute(_MANY_HASHED, (namespace, collection, *wanted))
            found.update({row[0]: _value(row) for row in rows})
        values = [found.get(key_hash) for key_hash in key_hashes[:whole]]
        rest = key_hashes[whole:]
        return values + [self.get_hashed(namespace, collection, key_hash) for key_hash in rest]

    def metadata_of(self, namespace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Metadata of those among some public keys that have any."""
        if not keys:
            return {}
        most = len(keys) + _PAGE
        bounds = (min(keys).encode(), max(keys).encode(), most)
        rows = self._execute(_METADATA, (namespace, *bounds)).fetchall()
        if len(rows) == most:
            # So many others lie between them that they are better asked for themselves.
            return metadata_among(keys, self.get_many(namespace, keys))
        found = {row[0].decode(): row[1] for row in rows}
        return {key: found[key] for key in keys if key in found} if found else found

    def hashed_metadata_of(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Metadata of those among some private keys that have any, by the hash of the key."""
        if not key_hashes:
            return {}
        most = len(key_hashes) + _PAGE
        bounds = (min(key_hashes), max(key_hashes), most)
        rows = self._execute(_HASHED_METADATA, (namespace, collection, *bounds)).fetchall()
        if len(rows) == most:
            return metadata_among(key_hashes, self.get_many_hashed(namespace, collection, key_hashes))
        found = dict(rows)
        return {key_hash: found[key_hash] for key_hash in key_hashes if key_hash in found} if found else found


class SnapshotStateReader(SqliteStateReader):
    """A reader of a fixed snapshot that remembers what it read.

    Every simulation asks for the chaincode's definition, and the endorsers of one transaction ask for the
    same keys.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._known: dict[tuple[str, str], VersionedValue | None] = {}

    def forget(self) -> None:
        """The snapshot has moved to another height."""
        self._known.clear()

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        name = (namespace, key)
        if name in self._known:
            return self._known[name]
        found = super().get(namespace, key)
        self._remember([(name, found)])
        return found

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of `keys`."""
        names = [(namespace, key) for key in keys]
        missing = [name for name in names if name not in self._known]
        if not missing:
            return [self._known[name] for name in names]
        values = super().get_many(namespace, [key for _, key in missing])
        fetched = dict(zip(missing, values, strict=True))
        found = [fetched[name] if name in fetched else self._known[name] for name in names]
        self._remember(fetched.items())
        return found

    def _remember(self, found: Collection[tuple[tuple[str, str], VersionedValue | None]]) -> None:
        if len(self._known) + len(found) > _MOST_REMEMBERED:
            self._known.clear()
        self._known.update(
            (name, value)
            for name, value in found
            if value is None or len(value.value) <= _LARGEST_REMEMBERED or name[0] == LIFECYCLE_NAMESPACE
        )


def _value(row: tuple[bytes, bytes, bytes, int, int]) -> VersionedValue:
    return VersionedValue(row[1], row[2], Version(row[3], row[4]))
