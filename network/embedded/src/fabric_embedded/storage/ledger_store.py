"""The public ledger in one SQLite file, the writer's side: one synced transaction a block."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import database, schema
from fabric_embedded.storage.block_reader import BlockReader
from fabric_embedded.storage.rows import put_rows
from fabric_embedded.storage.state_reader import SqliteStateReader
from fabric_protocol.expiry import expiring_block
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch

FILE_NAME = "ledger.sqlite"

_PUT_BLOCK = "INSERT INTO blocks (number, header_hash, is_private, data) VALUES (?, ?, ?, ?)"
_PUT_TRANSACTION = "INSERT OR IGNORE INTO transactions (id, block, position, code) VALUES (?, ?, ?, ?)"
_PUT_STATE = (
    "INSERT INTO state (namespace, key, value, metadata, block, position) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET value = excluded.value, metadata = excluded.metadata,"
    " block = excluded.block, position = excluded.position"
)
_DELETE_STATE = "DELETE FROM state WHERE namespace = ? AND key = ?"
_PUT_HASHED = (
    "INSERT OR REPLACE INTO hashed_state"
    " (namespace, collection, key_hash, value_hash, metadata, block, position, expires)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_DELETE_HASHED = "DELETE FROM hashed_state WHERE namespace = ? AND collection = ? AND key_hash = ?"
_EXPIRE_HASHED = "DELETE FROM hashed_state WHERE expires <= ?"
_PUT_HISTORY = "INSERT OR IGNORE INTO history (namespace, key, block, position) VALUES (?, ?, ?, ?)"


class TransactionEntry(NamedTuple):
    """One transaction of a block, for the index by id; an empty id is not indexed."""

    transaction_id: str
    position: int
    code: int


class HistoryEntry(NamedTuple):
    """A public key that a valid transaction of the block deleted, or wrote before another one did."""

    namespace: str
    key: str
    position: int


@dataclass(frozen=True)
class BlockRecord:
    """Everything that one block changes in the public ledger.

    `is_private`: it changes private data, too. `lifetimes`: block_to_live of the collections that it writes
    and whose data expires, by (namespace, collection).
    """

    number: int
    header_hash: bytes
    is_private: bool
    data: bytes
    transactions: tuple[TransactionEntry, ...]
    updates: UpdateBatch
    history: tuple[HistoryEntry, ...]
    lifetimes: Mapping[tuple[str, str], int] = field(default_factory=dict)


class LedgerStore:
    """The writer's connection to `ledger.sqlite`. One thread at a time.

    Parameters:
        directory: the ledger's directory; it and the file are created if absent.

    Raises:
        LedgerError: LEDGER_UNREADABLE, LEDGER_VERSION.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._connection = database.connect(self.path)
        database.create_schema(self._connection, schema.LEDGER, schema.LEDGER_BEFORE_4)
        self.state = SqliteStateReader(self._connection)
        self.blocks = BlockReader(self._connection)

    @property
    def height(self) -> int:
        """Number of committed blocks."""
        return self.blocks.height()

    def commit(self, record: BlockRecord) -> None:
        """Write a block with all that follows from it, and sync; all of it or nothing.

        Raises:
            LedgerError: LEDGER_WRITE_FAILED: nothing was written; the same block may be tried again.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._write(record)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise LedgerError(
                "LEDGER_WRITE_FAILED", f"block {record.number} cannot be written to {self.path}: {error}"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def checkpoint(self) -> None:
        """Copy what no reader holds back from the write-ahead log into the file."""
        database.checkpoint_passively(self._connection)

    def truncate_log(self) -> bool:
        """Cut the write-ahead log to nothing; False while somebody reads an older state."""
        return database.truncate_log(self._connection)

    def log_bytes(self) -> int:
        """Size of the write-ahead log."""
        return database.log_bytes(self.path)

    def close(self) -> None:
        """Close the connection; the last one of the file copies the log into it."""
        self._connection.close()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _write(self, record: BlockRecord) -> None:
        number = record.number
        self._connection.execute(_PUT_BLOCK, (number, record.header_hash, record.is_private, record.data))
        self._put(
            _PUT_TRANSACTION,
            ((entry[0], number, entry[1], entry[2]) for entry in record.transactions if entry[0]),
        )
        self._put(
            _PUT_HISTORY,
            ((namespace, key.encode(), number, position) for namespace, key, position in record.history),
        )
        self._write_public(record.updates.public)
        self._write_hashed(record.updates.hashed, record.lifetimes)
        self._connection.execute(_EXPIRE_HASHED, (number,))

    def _write_public(self, updates: tuple[PublicUpdate, ...]) -> None:
        self._connection.executemany(
            _DELETE_STATE,
            [(namespace, key.encode()) for namespace, key, value, _, _ in updates if value is None],
        )
        self._put(
            _PUT_STATE,
            [
                (namespace, key.encode(), value, metadata, *version)
                for namespace, key, value, metadata, version in updates
                if value is not None
            ],
        )

    def _write_hashed(
        self, updates: tuple[HashedUpdate, ...], lifetimes: Mapping[tuple[str, str], int]
    ) -> None:
        self._connection.executemany(
            _DELETE_HASHED, [update[:3] for update in updates if update.value_hash is None]
        )
        self._put(
            _PUT_HASHED,
            [
                (
                    namespace,
                    collection,
                    key_hash,
                    value_hash,
                    metadata,
                    *version,
                    expiring_block(version.block, lifetimes.get((namespace, collection), 0)),
                )
                for namespace, collection, key_hash, value_hash, version, _, metadata in updates
                if value_hash is not None
            ],
        )

    def _put(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        put_rows(self._connection, statement, rows)
