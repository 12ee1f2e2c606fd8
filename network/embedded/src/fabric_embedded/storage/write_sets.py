"""What committed transactions wrote to private collections, for those who follow blocks with private data.

A set is kept as it was endorsed, less the keys that were purged since, until its collection lets it expire
(`core/ledger/pvtdatastorage`). Where a key's present value was written, its row in `data` says;
`written_keys` has what that row does not tell: sets that wrote the key before, deleted it, or were overtaken
in their block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from fabric_protocol.expiry import expiring_block
from fabric_protocol.rwset_builder import key_hash
from fabric_protocol.state import Version
from fabric_protocol.updates import PrivateUpdate, Purge

_PUT = (
    "INSERT INTO write_sets (block, position, namespace, collection, expires, data) VALUES (?, ?, ?, ?, ?, ?)"
)
_PUT_KEY = "INSERT OR IGNORE INTO written_keys (key_hash, write_set) VALUES (?, ?)"
_DELETE_KEY = "DELETE FROM written_keys WHERE key_hash = ? AND write_set = ?"
_EXPIRED = "SELECT id, data FROM write_sets WHERE expires <= ?"
_DELETE_EXPIRED = "DELETE FROM write_sets WHERE expires <= ?"
_WITH_KEY = (
    "SELECT id, data FROM write_sets WHERE id IN ("
    " SELECT write_set FROM written_keys WHERE key_hash = ?1"
    " UNION SELECT s.id FROM data AS d JOIN write_sets AS s USING (block, position, namespace, collection)"
    " WHERE substr(d.key_hash, 1, 8) = substr(?1, 1, 8) AND d.key_hash = ?1"
    ") AND namespace = ?2 AND collection = ?3 AND (block < ?4 OR block = ?4 AND position <= ?5)"
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

    def add(
        self,
        block: int,
        sets: Iterable[WriteSet],
        lifetimes: Mapping[tuple[str, str], int],
        updates: Iterable[PrivateUpdate],
    ) -> None:
        """Keep a committed block's sets.

        Parameters:
            block: its number.
            sets: what its valid transactions wrote.
            lifetimes: block_to_live of the collections that have one, by (namespace, collection).
            updates: what the block makes of `data`.
        """
        present = {
            (update.namespace, update.collection, update.version, update.key)
            for update in updates
            if update.value is not None
        }
        for kept in sets:
            expires = expiring_block(block, lifetimes.get((kept.namespace, kept.collection), 0))
            row = (block, kept.position, kept.namespace, kept.collection, expires, kept.data)
            number = self._connection.execute(_PUT, row).lastrowid
            place = (kept.namespace, kept.collection, Version(block, kept.position))
            keys = [key for key in _keys(_content(kept.data)) if (*place, key) not in present]
            self._connection.executemany(_PUT_KEY, [(key_hash(key), number) for key in keys])

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
            keys = ((key_hash(key), number) for number, data in expired for key in _keys(_content(data)))
            self._connection.executemany(_DELETE_KEY, keys)
            self._connection.execute(_DELETE_EXPIRED, (block,))
        return len(expired)


def _covered(purge: Purge) -> tuple[object, ...]:
    return (purge.key_hash, purge.namespace, purge.collection, *purge.version)


def _content(data: bytes) -> Any:
    return kv_rwset_pb2.KVRWSet.FromString(data)


def _keys(content: Any) -> Iterator[str]:
    for entries in (content.writes, content.metadata_writes):
        for entry in entries:
            yield entry.key


def _without(data: bytes, purged: bytes) -> bytes:
    content = _content(data)
    for entries in (content.writes, content.metadata_writes):
        kept = [entry for entry in entries if key_hash(entry.key) != purged]
        del entries[:]
        entries.extend(kept)
    left: bytes = content.SerializeToString(deterministic=True)
    return left
