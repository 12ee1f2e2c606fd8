"""Fixed views of the ledger: all simulations that begin at one height share one, and commits wait for none.

A view is opened by the committing thread between two commits, so that the public file and the private ones
agree. From then on it belongs to the event loop, which counts who uses it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import database
from fabric_embedded.storage.block_reader import BlockReader
from fabric_embedded.storage.ledger_store import FILE_NAME
from fabric_embedded.storage.private_reader import SqlitePrivateReader
from fabric_embedded.storage.state_reader import SnapshotStateReader
from fabric_protocol.known_results import KnownResults

_PIN = "SELECT 1 FROM sqlite_master LIMIT 1"


class Snapshot:
    """One height of the ledger: public state, blocks, and each organization's private data."""

    def __init__(self, directory: Path, msp_ids: Iterable[str]) -> None:
        public = database.connect_for_reading(directory / FILE_NAME)
        private = {
            msp_id: database.connect_for_reading(directory / f"private-{msp_id}.sqlite") for msp_id in msp_ids
        }
        self._connections: tuple[sqlite3.Connection, ...] = (public, *private.values())
        self.height = 0
        self.lifecycle_height = 0
        self.state = SnapshotStateReader(public)
        self.blocks = BlockReader(public)
        self.private: Mapping[str, SqlitePrivateReader] = {
            msp_id: SqlitePrivateReader(connection) for msp_id, connection in private.items()
        }
        self.known_results = KnownResults()
        self.users = 0

    def pin(self) -> None:
        """See from now on what is committed at this moment, and nothing later."""
        for connection in self._connections:
            connection.execute("BEGIN")
            connection.execute(_PIN).fetchone()
        self.height = self.blocks.height()
        self.state.forget()

    def unpin(self) -> None:
        """Let go of the view."""
        self.known_results.forget()
        for connection in self._connections:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()


class SnapshotPool:
    """Opened snapshots that nobody uses; opening connections takes longer than a simulation."""

    def __init__(self, directory: Path, msp_ids: Iterable[str]) -> None:
        self._directory = directory
        self._msp_ids = tuple(msp_ids)
        self._lock = Lock()
        self._free: list[Snapshot] = []

    def take(self) -> Snapshot:
        """A snapshot of what is committed at this moment; call between two commits."""
        with self._lock:
            snapshot = self._free.pop() if self._free else None
        snapshot = snapshot or Snapshot(self._directory, self._msp_ids)
        snapshot.pin()
        return snapshot

    def give_back(self, snapshot: Snapshot) -> None:
        """Return a snapshot that nobody uses any more."""
        snapshot.unpin()
        with self._lock:
            self._free.append(snapshot)

    def close(self) -> None:
        """Close every connection that was given back."""
        with self._lock:
            while self._free:
                self._free.pop().close()


class CurrentSnapshot:
    """The newest snapshot, and who still uses which. Event loop only."""

    def __init__(self, pool: SnapshotPool) -> None:
        self._pool = pool
        self._current: Snapshot | None = None
        self._in_use: set[Snapshot] = set()
        self._is_closed = False
        self._available = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Snapshot]:
        """Use the newest snapshot; it stays as it is until the block ends.

        Raises:
            LedgerError: LEDGER_CLOSED.
        """
        snapshot = await self.acquire()
        try:
            yield snapshot
        finally:
            self.release(snapshot)

    async def acquire(self) -> Snapshot:
        """The newest snapshot, which stays as it is until `release`; as `use`, for every proposal.

        Raises:
            LedgerError: LEDGER_CLOSED.
        """
        while self._current is None:
            if self._is_closed:
                raise LedgerError("LEDGER_CLOSED", "the ledger is closed")
            await self._available.wait()
        snapshot = self._current
        snapshot.users += 1
        self._in_use.add(snapshot)
        self._idle.clear()
        return snapshot

    def release(self, snapshot: Snapshot) -> None:
        """Let a snapshot go that was acquired."""
        snapshot.users -= 1
        if not snapshot.users:
            self._in_use.discard(snapshot)
            if snapshot is not self._current:
                self._pool.give_back(snapshot)
            if not self._in_use:
                self._idle.set()

    def peek(self) -> Snapshot | None:
        """The newest snapshot, to be read without awaiting; None while there is none."""
        return self._current

    def replace(self, snapshot: Snapshot) -> None:
        """From now on new users get this snapshot."""
        previous, self._current = self._current, snapshot
        if previous is not None and not previous.users:
            self._pool.give_back(previous)
        self._available.set()

    async def close(self, timeout_seconds: float) -> None:
        """Wait for the present users; nobody gets a snapshot any more, and who waits for one is told so."""
        await self.withdraw(timeout_seconds)
        self._is_closed = True
        self._available.set()

    async def withdraw(self, timeout_seconds: float) -> bool:
        """Let new users wait until `replace`, and wait for the present ones to finish.

        Returns:
            Whether all have finished; if not, call `replace` all the same.
        """
        self._available.clear()
        previous, self._current = self._current, None
        if previous is not None and not previous.users:
            self._pool.give_back(previous)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
