"""Fills the state of a stopped embedded network with records: copies of real ones under ids of their own.

They are written straight into the engine's SQLite file, as the state that many blocks would have left; the
blocks themselves are not there, as none of what is measured reads them. `consentry verify` refuses such a
ledger, as it should.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

from consentry_records import keys

KINDS = ("consent", "grant", "attempt", "decision")
_NAMESPACE = "consentry"
_FIRST = (
    "SELECT key, value, metadata, block, position FROM state"
    " WHERE namespace = ? AND key >= ? AND key < ? LIMIT 1"
)
_PUT = "INSERT INTO state (namespace, key, value, metadata, block, position) VALUES (?, ?, ?, ?, ?, ?)"
_Row = tuple[str, bytes, bytes, bytes, int, int]


class StateSeeder:
    """Adds records to the state of a network that must not run.

    Parameters:
        ledger: the engine's `ledger.sqlite`, with one record of each of `KINDS` at least.
        seed: of the ids.
    """

    def __init__(self, ledger: Path, seed: int = 1) -> None:
        self._ledger = ledger
        self._random = Random(seed)

    def add(self, count: int) -> None:
        """Add so many records, a quarter of each kind; each grant with its key in the index of grants."""
        with closing(sqlite3.connect(self._ledger)) as connection, connection:
            for kind in KINDS:
                start, end = f"{kind}/".encode(), f"{kind}0".encode()
                found = connection.execute(_FIRST, (_NAMESPACE, start, end)).fetchone()
                connection.executemany(_PUT, self._copies(kind, count // len(KINDS), *found))

    def _copies(
        self, kind: str, count: int, key: bytes, value: bytes, metadata: bytes, block: int, position: int
    ) -> Iterator[_Row]:
        old = key.partition(b"/")[2]
        prefix = old.partition(b"-")[0] + b"-"
        # In the order of the table, which takes them faster so.
        for name in sorted(self._random.randbytes(16).hex().encode() for _ in range(count)):
            new = prefix + name
            yield (
                _NAMESPACE,
                key.replace(old, new),
                value.replace(old, new),
                metadata,
                block,
                position,
            )
            if kind == "grant":
                version, grantee = f"version-{name.decode()}", f"Org{name[0] % 8}MSP"
                index = keys.grant_index(version, grantee, new.decode()).encode()
                yield _NAMESPACE, index, new, b"", block, position
