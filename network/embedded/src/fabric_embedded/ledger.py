"""What the services ask of the ledger: blocks, transactions, events, and waiting for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fabric_protocol.state import StateReader


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
    """Committed blocks and state; every answer is of what is synced to disk."""

    @property
    def height(self) -> int:
        """Number of committed blocks; the next block has this number."""
        raise NotImplementedError

    @property
    def state(self) -> StateReader:
        """The latest committed state (not a fixed snapshot: read what must agree in one go, without awaiting)."""
        raise NotImplementedError

    def header_hash(self, number: int) -> bytes | None:
        """SHA-256 of a block's header; None where there is no such block yet."""
        raise NotImplementedError

    def block(self, number: int) -> bytes | None:
        """M(Block) as a peer stores it (flags and commit hash filled); None where there is none yet."""
        raise NotImplementedError

    def transaction(self, transaction_id: str) -> TransactionStatus | None:
        """Status of the first transaction with this id, valid or not; None while there is none."""
        raise NotImplementedError

    def events(self, number: int) -> tuple[CommittedEvent, ...]:
        """Chaincode events of a committed block's valid transactions; empty where there is no such block."""
        raise NotImplementedError

    async def wait_for_block(self, number: int) -> bytes:
        """M(Block) of a block, as soon as it is committed."""
        raise NotImplementedError

    async def wait_for_transaction(self, transaction_id: str) -> TransactionStatus:
        """Status of a transaction, as soon as it is committed; waits for ever for one that never comes."""
        raise NotImplementedError


def read_blocks(ledger_directory: Path) -> Iterator[bytes]:
    """Stored bytes of every block in order, as they are on disk; for when no engine runs."""
    raise NotImplementedError


def replace_block(ledger_directory: Path, number: int, data: bytes) -> None:
    """Overwrite one stored block's bytes without any check: for tests and demonstrations of tampering only."""
    raise NotImplementedError
