"""What committed transactions wrote to private collections, for those who follow blocks with private data.

A set is kept as it was endorsed, less the keys that were purged since, until its collection lets it expire
(`core/ledger/pvtdatastorage`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from fabric_protocol.expiry import expiring_block
from fabric_protocol.updates import Purge

_PUT = (
    "INSERT INTO write_sets (block, position, namespace, collection, expires, data) VALUES (?, ?, ?, ?, ?, ?)"
)
_PUT_KEY = "INSERT OR IGNORE INTO written_keys (key_hash, write_set) VALUES (?, ?)"
_DELETE_KEY = "DELETE FROM written_keys WHERE key_hash = ? AND write_set = ?"
_EXPIRED = "SELECT id, data FROM write_sets WHERE expires <= ?"
_DELETE_EXPIRED = "DELETE FROM write_sets WHERE expires <= ?"
_WITH_KEY = (
    "SELECT s.id, s.data FROM written_keys AS k JOIN write_sets AS s ON s.id = k.write_set"
    " WHERE k.key_hash = ? AND s.namespace = ? AND s.collection = ?"
    " AND (s.block < ? OR s.block = ? AND s.position <= ?)"
)
_REPLACE = "UPDATE write_sets SET data = ? WHERE id = ?"
_OF_BLOCK = (
    "SELECT position, namespace, collection, data FROM write_sets WHERE block = ?"
    " ORDER BY position, namespace, collection"
)


class WriteSet(NamedTuple):
    """M(KVRWSet) of one transaction and collection; `position` is the transaction's index in its block."""

    position: int
    namespace: str
    collection: str
    data: bytes


def read_write_sets(connection: sqlite3.Connection, block: int) -> list[WriteSet]:
    """The sets of a block that are left, in order."""
    return [WriteSet(*row) for row in connection.execute(_OF_BLOCK, (block,))]


class WriteSetTable:
    """Changes to the sets; the caller begins and ends the transaction.

    Parameters:
        connection: the writer's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, block: int, sets: Iterable[WriteSet], lifetimes: Mapping[tuple[str, str], int]) -> None:
        """Keep a committed block's sets.

        Parameters:
            block: its number.
            sets: what its valid transactions wrote.
            lifetimes: block_to_live of the collections that have one, by (namespace, collection).
        """
        for kept in sets:
            expires = expiring_block(block, lifetimes.get((kept.namespace, kept.collection), 0))
            row = (block, kept.position, kept.namespace, kept.collection, expires, kept.data)
            number = self._connection.execute(_PUT, row).lastrowid
            keys = _key_hashes(kv_rwset_pb2.KVRWSet.FromString(kept.data))
            self._connection.executemany(_PUT_KEY, [(key, number) for key in keys])

    def holds(self, purge: Purge) -> bool:
        """Whether some set has the key that a purge names, in a version that the purge covers."""
        return self._connection.execute(_WITH_KEY, _covered(purge)).fetchone() is not None

    def trim(self, purges: Iterable[Purge]) -> None:
        """Take purged keys out of every set up to the purge's version."""
        for purge in purges:
            for number, data in self._connection.execute(_WITH_KEY, _covered(purge)).fetchall():
                self._connection.execute(_REPLACE, (_without(data, purge.key_hash), number))
                self._connection.execute(_DELETE_KEY, (purge.key_hash, number))

    def expire(self, block: int) -> int:
        """Remove the sets that expire with the commit of a block, or did before; how many there were."""
        expired = self._connection.execute(_EXPIRED, (block,)).fetchall()
        if expired:
            keys = (
                (key, number)
                for number, data in expired
                for key in _key_hashes(kv_rwset_pb2.KVRWSet.FromString(data))
            )
            self._connection.executemany(_DELETE_KEY, keys)
            self._connection.execute(_DELETE_EXPIRED, (block,))
        return len(expired)


def _covered(purge: Purge) -> tuple[object, ...]:
    return (purge.key_hash, purge.namespace, purge.collection, purge.version.block, *purge.version)


def _key_hashes(content: Any) -> Iterator[bytes]:
    for entries in (content.writes, content.metadata_writes):
        for entry in entries:
            yield sha256(entry.key.encode()).digest()


def _without(data: bytes, key_hash: bytes) -> bytes:
    content = kv_rwset_pb2.KVRWSet.FromString(data)
    for entries in (content.writes, content.metadata_writes):
        kept = [entry for entry in entries if sha256(entry.key.encode()).digest() != key_hash]
        del entries[:]
        entries.extend(kept)
    left: bytes = content.SerializeToString(deterministic=True)
    return left
