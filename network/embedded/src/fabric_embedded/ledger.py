"""What the services ask of the ledger: blocks, transactions, events, and waiting for them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import database
from fabric_embedded.storage.block_reader import BlockReader
from fabric_embedded.storage.ledger_store import FILE_NAME
from fabric_embedded.storage.state_reader import SqliteStateReader
from fabric_protocol.blocks import parse_block, transaction_flags
from fabric_protocol.errors import EncodingError
from fabric_protocol.transactions import Transaction
from fabric_protocol.validation_codes import ValidationCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fabric_embedded.ordering.committer import CommittedBlock
    from fabric_protocol.state import StateReader

_KEPT_BLOCKS = 64
_KEPT_EVENTS = 1024
_Value = TypeVar("_Value")


class TransactionStatus(NamedTuple):
    """What became of a transaction: its validation code and the block that holds it."""

    code: int
    block_number: int


class CommittedEvent(NamedTuple):
    """A chaincode event of a valid transaction, in the order of the block."""

    transaction_id: str
    chaincode: str
    name: str
    payload: bytes


class Ledger:
    """Committed blocks and state; every answer is of what is synced to disk. Event loop only.

    Parameters:
        directory: the ledger's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._connection = database.connect_for_reading(directory / FILE_NAME)
        self._blocks = BlockReader(self._connection)
        self._state = SqliteStateReader(self._connection)
        self._height = self._blocks.height()
        self._lifecycle_height = 0
        self._recent: OrderedDict[int, bytes] = OrderedDict()
        self._recent_events: OrderedDict[int, tuple[CommittedEvent, ...]] = OrderedDict()
        self._transaction_waiters: dict[str, set[asyncio.Future[TransactionStatus]]] = {}
        self._next_block = asyncio.Event()
        self._observers: list[Callable[[CommittedBlock], None]] = []
        self._failure: LedgerError | None = None

    @property
    def height(self) -> int:
        """Number of committed blocks; the next block has this number."""
        return self._height

    @property
    def lifecycle_height(self) -> int:
        """Changes whenever chaincode definitions may have changed."""
        return self._lifecycle_height

    @property
    def state(self) -> StateReader:
        """The latest committed state (no snapshot: read without awaiting what must agree)."""
        return self._state

    def header_hash(self, number: int) -> bytes | None:
        """SHA-256 of a block's header; None where there is no such block yet."""
        return self._blocks.header_hash(number) if 0 <= number < self._height else None

    def block(self, number: int) -> bytes | None:
        """M(Block) as a peer stores it (flags and commit hash filled); None where there is none yet."""
        if not 0 <= number < self._height:
            return None
        return self._recent.get(number) or self._blocks.block(number)

    def transaction(self, transaction_id: str) -> TransactionStatus | None:
        """Status of the first transaction with this id, valid or not; None while there is none."""
        found = self._blocks.transaction(transaction_id)
        # A block is on disk a moment before it is announced.
        if found is None or found.block >= self._height:
            return None
        return TransactionStatus(found.code, found.block)

    def events(self, number: int) -> tuple[CommittedEvent, ...]:
        """Chaincode events of a committed block's valid transactions; empty where there is no such block."""
        if number in self._recent_events:
            return self._recent_events[number]
        data = self.block(number)
        if data is None:
            return ()
        block = parse_block(data)
        transactions = [_read(entry) for entry in block.data.data]
        return _events(transactions, transaction_flags(block))

    async def wait_for_block(self, number: int) -> bytes:
        """M(Block) of a block, as soon as it is committed.

        Raises:
            LedgerError: LEDGER_CLOSED, if the engine closes meanwhile.
        """
        while number >= self._height:
            self._check_open()
            await self._next_block.wait()
        data = self.block(number)
        if data is None:
            raise LedgerError("BLOCK_NOT_FOUND", f"there is no block {number}")
        return data

    async def wait_for_transaction(self, transaction_id: str) -> TransactionStatus:
        """Status of a transaction, as soon as it is committed; waits for ever for one that never comes.

        Raises:
            LedgerError: LEDGER_CLOSED, if the engine closes meanwhile.
        """
        known = self.transaction(transaction_id)
        if known is not None:
            return known
        self._check_open()
        waiter: asyncio.Future[TransactionStatus] = asyncio.get_running_loop().create_future()
        waiters = self._transaction_waiters.setdefault(transaction_id, set())
        waiters.add(waiter)
        try:
            return await waiter
        finally:
            waiters.discard(waiter)
            if not waiters:
                self._transaction_waiters.pop(transaction_id, None)

    def observe(self, observer: Callable[[CommittedBlock], None]) -> None:
        """Have an observer told of each block from now on, as it is committed."""
        self._observers.append(observer)

    def announce(self, committed: CommittedBlock) -> None:
        """Tell everybody who waits that a block is committed."""
        record = committed.record
        self._height = record.number + 1
        self._lifecycle_height = committed.snapshot.lifecycle_height
        _keep(self._recent, record.number, record.data, _KEPT_BLOCKS)
        events = _events(committed.validated.transactions, committed.validated.flags)
        _keep(self._recent_events, record.number, events, _KEPT_EVENTS)
        if self._transaction_waiters:
            for entry in record.transactions:
                self._resolve(entry.transaction_id, TransactionStatus(entry.code, record.number))
        self._wake_block_waiters()
        for observer in self._observers:
            observer(committed)

    def close(self) -> None:
        """Refuse further waiting, and close the connection."""
        self._failure = LedgerError("LEDGER_CLOSED", "the ledger is closed")
        for waiters in self._transaction_waiters.values():
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(self._failure)
        self._wake_block_waiters()
        self._connection.close()

    def _resolve(self, transaction_id: str, status: TransactionStatus) -> None:
        """Who waits began before any block had this id: the first that has it is what they wait for."""
        for waiter in self._transaction_waiters.get(transaction_id, ()):
            if not waiter.done():
                waiter.set_result(status)

    def _wake_block_waiters(self) -> None:
        self._next_block.set()
        self._next_block = asyncio.Event()

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failure


def read_blocks(ledger_directory: Path) -> Iterator[bytes]:
    """Stored bytes of every block in order, as they are on disk; for when no engine runs.

    Raises:
        LedgerError: LEDGER_UNREADABLE.
    """
    connection = database.connect_for_reading(ledger_directory / FILE_NAME)
    try:
        for (data,) in connection.execute("SELECT data FROM blocks ORDER BY number"):
            yield bytes(data)
    except sqlite3.Error as error:
        raise LedgerError(
            "LEDGER_UNREADABLE", f"cannot read the blocks in {ledger_directory}: {error}"
        ) from error
    finally:
        connection.close()


def replace_block(ledger_directory: Path, number: int, data: bytes) -> None:
    """Overwrite one stored block's bytes without any check: for tests and demonstrations of tampering only.

    Raises:
        LedgerError: LEDGER_UNREADABLE; BLOCK_NOT_FOUND.
    """
    connection = database.connect(ledger_directory / FILE_NAME, must_exist=True)
    try:
        changed = connection.execute("UPDATE blocks SET data = ? WHERE number = ?", (data, number)).rowcount
    except sqlite3.Error as error:
        raise LedgerError("LEDGER_UNREADABLE", f"cannot write to {ledger_directory}: {error}") from error
    finally:
        connection.close()
    if not changed:
        raise LedgerError("BLOCK_NOT_FOUND", f"there is no block {number} in {ledger_directory}")


def _read(entry: bytes) -> Transaction | None:
    try:
        return Transaction.from_envelope(entry)
    except EncodingError:
        return None


def _events(transactions: Sequence[Transaction | None], flags: Iterable[int]) -> tuple[CommittedEvent, ...]:
    return tuple(
        CommittedEvent(found.transaction_id, found.event.chaincode, found.event.name, found.event.payload)
        for found, code in zip(transactions, flags, strict=True)
        if code == ValidationCode.VALID and found is not None and found.event is not None
    )


def _keep(kept: OrderedDict[int, _Value], number: int, value: _Value, most: int) -> None:
    kept[number] = value
    while len(kept) > most:
        kept.popitem(last=False)
