"""Blocks, transaction ids and history read from the ledger's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

_HISTORY = (
    "SELECT block, position FROM history WHERE namespace = ? AND key = ?"
    " UNION SELECT block, position FROM state WHERE namespace = ? AND key = ?"
    " ORDER BY block DESC, position DESC"
)


class StoredTransaction(NamedTuple):
    """Where the first transaction of an id stands, and its validation code."""

    block: int
    position: int
    code: int


class BlockReader:
    """Reads over one connection; what it sees is up to the connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def height(self) -> int:
        """Number of blocks."""
        last = self._execute("SELECT max(number) FROM blocks").fetchone()[0]
        return 0 if last is None else int(last) + 1

    def block(self, number: int) -> bytes | None:
        """M(Block) as stored; None where there is none."""
        row = self._execute("SELECT data FROM blocks WHERE number = ?", (number,)).fetchone()
        return row and bytes(row[0])

    def private_blocks(self, start: int) -> list[int]:
        """Numbers of the blocks from `start` on that change private data."""
        rows = self._execute(
            "SELECT number FROM blocks WHERE is_private AND number >= ? ORDER BY number", (start,)
        )
        return [row[0] for row in rows]

    def header_hash(self, number: int) -> bytes | None:
        """SHA-256 of a block's header; None where there is no such block."""
        row = self._execute("SELECT header_hash FROM blocks WHERE number = ?", (number,)).fetchone()
        return row and bytes(row[0])

    def number_of(self, header_hash: bytes) -> int | None:
        """Number of the block whose header has this SHA-256; None where there is none."""
        row = self._execute("SELECT number FROM blocks WHERE header_hash = ?", (header_hash,)).fetchone()
        return row and int(row[0])

    def transaction(self, transaction_id: str) -> StoredTransaction | None:
        """The first transaction with this id, valid or not."""
        row = self._execute(
            "SELECT block, position, code FROM transactions WHERE id = ?", (transaction_id,)
        ).fetchone()
        return row and StoredTransaction(*row)

    def is_known(self, transaction_id: str) -> bool:
        """Whether any transaction of this id is on the ledger, valid or not."""
        return self.transaction(transaction_id) is not None

    def known(self, transaction_ids: Iterable[str]) -> set[str]:
        """Those of some ids that transactions on the ledger have, valid or not."""
        return {identifier for identifier in transaction_ids if self.is_known(identifier)}

    def history(self, namespace: str, key: str) -> list[tuple[int, int]]:
        """(block, position) of every valid transaction that wrote or deleted a public key, newest first.

        One that changed the key's metadata alone may be among them.
        """
        name = (namespace, key.encode())
        return self._execute(_HISTORY, name * 2).fetchall()
