"""Private data of one organization, in a SQLite file of its own that forgets what is deleted.

What is endorsed waits in `pending`, synced before the endorsement is given out, so that a transaction can be
committed at any time after, whatever happens in between. A committed block is applied from there, after the
public commit: `height` says how far, and whoever opens the ledger applies the rest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import database, schema
from fabric_embedded.storage.private_reader import SqlitePrivateReader
from fabric_embedded.storage.rows import put_rows
from fabric_embedded.storage.write_sets import WriteSet, WriteSetTable
from fabric_protocol.expiry import expiring_block
from fabric_protocol.updates import PrivateUpdate, Purge

KEPT_BLOCKS = 20_000
"""Blocks after which what was endorsed and never committed is dropped (`transientstoreMaxBlockRetention`)."""

_PUT_PENDING = "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?, ?, ?)"
_GET_PENDING = (
    "SELECT data FROM pending WHERE transaction_id = ? AND namespace = ? AND collection = ? AND hash = ?"
)
_SETTLE = "DELETE FROM pending WHERE transaction_id = ?"
_PROGRESS = "UPDATE progress SET height = ?, purging = ?"
_PUT_DATA = (
    "INSERT INTO data VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value,"
    " block = excluded.block, position = excluded.position, expires = excluded.expires"
)
_DELETE_DATA = "DELETE FROM data WHERE namespace = ? AND collection = ? AND key = ?"
_EXPIRE_DATA = "DELETE FROM data WHERE expires <= ?"
_NEXT_EXPIRY = (
    "SELECT min(first) FROM (SELECT min(expires) AS first FROM data WHERE expires IS NOT NULL"
    " UNION ALL SELECT min(expires) FROM write_sets WHERE expires IS NOT NULL)"
)
_HOLDS = (
    "SELECT 1 FROM data WHERE namespace = ?1 AND collection = ?2"
    " AND substr(key_hash, 1, 8) = substr(?3, 1, 8) AND key_hash = ?3 LIMIT 1"
)
_REMOVE = (
    "DELETE FROM data WHERE namespace = ?1 AND collection = ?2"
    " AND substr(key_hash, 1, 8) = substr(?3, 1, 8) AND key_hash = ?3"
    " AND (block < ?4 OR block = ?4 AND position <= ?5)"
)


class PendingSet(NamedTuple):
    """M(KVRWSet) of one collection, as it was endorsed; `hash` is its SHA-256."""

    transaction_id: str
    namespace: str
    collection: str
    hash: bytes
    data: bytes


@dataclass(frozen=True)
class PrivateBlock:
    """What one committed block means to one organization's private data.

    Parameters:
        number: of the block.
        updates: net new values.
        removals: deleted keys, up to a version, wherever a value of them is held.
        purged: purged keys, up to a version: their bytes must leave every file.
        settled: ids of the block's transactions: what was endorsed for them is done with.
        is_borrowed: whether some of the updates come from what waits at another organization's peer.
        sets: what the block's valid transactions wrote, for those who follow blocks.
        lifetimes: block_to_live of the collections that have one, by (namespace, collection).
    """

    number: int
    updates: Sequence[PrivateUpdate] = ()
    removals: Sequence[Purge] = ()
    purged: Sequence[Purge] = ()
    settled: Sequence[str] = ()
    is_borrowed: bool = False
    sets: Sequence[WriteSet] = ()
    lifetimes: Mapping[tuple[str, str], int] = field(default_factory=dict)


class PrivateStore:
    """The writer's connection to `private-<MSPID>.sqlite`; calls from several threads take turns.

    Parameters:
        directory: the ledger's directory.
        msp_id: whose data it is.

    Raises:
        LedgerError: LEDGER_UNREADABLE, LEDGER_VERSION.
    """

    def __init__(self, directory: Path, msp_id: str) -> None:
        self.path = directory / f"private-{msp_id}.sqlite"
        self.msp_id = msp_id
        self._lock = RLock()
        self._connection = database.connect(self.path)
        database.create_schema(self._connection, schema.PRIVATE, schema.PRIVATE_BEFORE_4)
        self._reading = database.connect_for_reading(self.path)
        self.data = SqlitePrivateReader(self._reading)
        self.height, self._is_purging = self._connection.execute(
            "SELECT height, purging FROM progress"
        ).fetchone()
        rows = self._connection.execute("SELECT DISTINCT transaction_id FROM pending")
        self._waiting = {row[0] for row in rows}
        self._sets = WriteSetTable(self._connection)
        self._next_expiry = self._find_next_expiry()

    @property
    def is_purging(self) -> bool:
        """Whether bytes of purged or expired keys may still be in the write-ahead log."""
        return bool(self._is_purging)

    def expires_by(self, block: int) -> bool:
        """Whether something is to go with the commit of a block, or was to go before."""
        return self._next_expiry is not None and self._next_expiry <= block

    def add_pending(self, sets: Iterable[PendingSet], height: int) -> None:
        """Keep endorsed private sets until their transactions are committed; synced when it returns.

        Raises:
            LedgerError: LEDGER_WRITE_FAILED.
        """
        rows = [(s.transaction_id, s.namespace, s.collection, s.hash, height, s.data) for s in sets]
        with self._writing():
            self._connection.executemany(_PUT_PENDING, rows)
            self._waiting.update([row[0] for row in rows])

    def pending(self, transaction_id: str, namespace: str, collection: str, set_hash: bytes) -> bytes | None:
        """The endorsed set that has this hash; None where this organization's peer never saw it."""
        if transaction_id not in self._waiting:
            return None
        with self._lock:
            name = (transaction_id, namespace, collection, set_hash)
            row = self._connection.execute(_GET_PENDING, name).fetchone()
        return row and bytes(row[0])

    def concerns(self, block: PrivateBlock) -> bool:
        """Whether `apply` would change anything but the height."""
        if block.updates or block.sets or not self._waiting.isdisjoint(block.settled):
            return True
        if self.expires_by(block.number):
            return True
        with self._lock:
            return any(self._holds(removal) for removal in (*block.removals, *block.purged)) or any(
                self._sets.holds(purge) for purge in block.purged
            )

    def apply(self, block: PrivateBlock, *, settles: bool) -> None:
        """Make a committed block's private changes.

        Parameters:
            block: the changes.
            settles: whether to forget at once what was pending for the block's transactions; if not, call
                `settle` once no other organization needs it any more.

        Raises:
            LedgerError: LEDGER_WRITE_FAILED: nothing was written; try again.
        """
        settled = self._waiting.intersection(block.settled) if settles else set()
        is_purging = self._is_purging or bool(block.purged) or self.expires_by(block.number)
        with self._writing():
            self._change(block)
            self._change_sets(block)
            self._connection.executemany(_SETTLE, [(done,) for done in settled])
            self._connection.execute("DELETE FROM pending WHERE height < ?", (block.number - KEPT_BLOCKS,))
            self._connection.execute(_PROGRESS, (block.number + 1, is_purging))
        self._waiting -= settled
        self.height, self._is_purging = block.number + 1, is_purging
        if block.lifetimes or self.expires_by(block.number):
            self._next_expiry = self._find_next_expiry()

    def advance(self, height: int) -> None:
        """Note that the blocks below `height` are applied, as they did not concern this organization."""
        if height > self.height:
            with self._writing():
                self._connection.execute(_PROGRESS, (height, self._is_purging))
            self.height = height

    def settle(self, is_done: Callable[[str], bool]) -> None:
        """Forget what is pending for transactions that are on the ledger and applied everywhere."""
        settled = {waiting for waiting in self._waiting if is_done(waiting)}
        if settled:
            with self._writing():
                self._connection.executemany(_SETTLE, [(done,) for done in settled])
            self._waiting -= settled

    def finish_purge(self) -> bool:
        """Cut the write-ahead log, so that purged bytes are in no file; False while a reader holds it."""
        if not self.truncate_log():
            return False
        with self._writing():
            self._connection.execute(_PROGRESS, (self.height, False))
        self._is_purging = False
        return True

    def checkpoint(self) -> None:
        """Copy what no reader holds back from the write-ahead log into the file."""
        with self._lock:
            database.checkpoint_passively(self._connection)

    def truncate_log(self) -> bool:
        """Cut the write-ahead log to nothing; False while somebody reads an older state."""
        with self._lock:
            return database.truncate_log(self._connection)

    def log_bytes(self) -> int:
        """Size of the write-ahead log."""
        return database.log_bytes(self.path)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._reading.close()
            self._connection.close()

    def _change(self, block: PrivateBlock) -> None:
        removals = (*block.removals, *block.purged)
        self._connection.executemany(
            _DELETE_DATA,
            [
                (namespace, collection, key.encode())
                for namespace, collection, key, value, _ in block.updates
                if value is None
            ],
        )
        put_rows(
            self._connection,
            _PUT_DATA,
            [
                (
                    namespace,
                    collection,
                    encoded := key.encode(),
                    sha256(encoded).digest(),
                    value,
                    *version,
                    expiring_block(version.block, block.lifetimes.get((namespace, collection), 0)),
                )
                for namespace, collection, key, value, version in block.updates
                if value is not None
            ],
        )
        self._connection.executemany(_REMOVE, [(*removal[:3], *removal.version) for removal in removals])

    def _change_sets(self, block: PrivateBlock) -> None:
        self._sets.add(block.number, block.sets, block.lifetimes, block.updates)
        self._sets.trim(block.purged)
        if self.expires_by(block.number):
            self._connection.execute(_EXPIRE_DATA, (block.number,))
            self._sets.expire(block.number)

    def _holds(self, removal: Purge) -> bool:
        return self._connection.execute(_HOLDS, removal[:3]).fetchone() is not None

    def _find_next_expiry(self) -> int | None:
        with self._lock:
            found: int | None = self._connection.execute(_NEXT_EXPIRY).fetchone()[0]
        return found

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise LedgerError(
                    "LEDGER_WRITE_FAILED", f"private data cannot be written to {self.path}: {error}"
                ) from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
