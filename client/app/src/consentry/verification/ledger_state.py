"""What a verifier has to remember of the blocks before: the state they left and the transactions in them."""

from collections.abc import Iterable
from typing import Protocol

from fabric_protocol.memory_state import MemoryState
from fabric_protocol.state import StateReader
from fabric_protocol.updates import UpdateBatch


class LedgerState(Protocol):
    """State after the last accepted block; whoever implements it decides where it is kept."""

    @property
    def state(self) -> StateReader:
        """Committed keys and hashes with their versions and key-level policies."""
        ...

    def known_transactions(self, transaction_ids: Iterable[str]) -> frozenset[str]:
        """Which of some transaction ids accepted blocks hold, valid or not."""
        ...

    def apply(self, updates: UpdateBatch, transaction_ids: Iterable[str]) -> None:
        """Take over what an accepted block changed.

        Args:
            updates: the net updates of its valid transactions.
            transaction_ids: ids of all its transactions, empty where one cannot be read.
        """
        ...


class MemoryLedgerState:
    """Everything in memory; `checkpoint` keeps it in a file."""

    def __init__(self) -> None:
        self._state = MemoryState()
        self._transactions: set[str] = set()

    @property
    def state(self) -> StateReader:
        """Committed keys and hashes."""
        return self._state

    def known_transactions(self, transaction_ids: Iterable[str]) -> frozenset[str]:
        """Which of some transaction ids accepted blocks hold."""
        return frozenset(self._transactions.intersection(transaction_ids))

    def apply(self, updates: UpdateBatch, transaction_ids: Iterable[str]) -> None:
        """Take over what an accepted block changed."""
        self._state.apply(updates)
        self._transactions.update(identifier for identifier in transaction_ids if identifier)

    def transactions(self) -> frozenset[str]:
        """Ids of all transactions of accepted blocks."""
        return frozenset(self._transactions)

    def content(self) -> UpdateBatch:
        """All committed keys and hashes, as the updates that would make them out of nothing."""
        return self._state.content()
