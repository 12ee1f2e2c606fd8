"""Turning a batch of envelopes into a committed block: the only place where the ledger is written.

Runs in one thread. The order matters: what was endorsed privately is already synced; the public commit is
the commit point; private values follow it, and are made up for at the next start if they could not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabric_embedded.errors import LedgerError
from fabric_embedded.ordering.private_changes import (
    changes_private_data,
    holdings,
    private_block,
    restore_validated,
)
from fabric_embedded.storage.ledger_store import BlockRecord, HistoryEntry, LedgerStore, TransactionEntry
from fabric_embedded.storage.private_store import PrivateBlock, PrivateStore
from fabric_embedded.storage.snapshots import Snapshot, SnapshotPool
from fabric_protocol.block_signatures import sign_block
from fabric_protocol.blocks import (
    check_link,
    header_hash,
    is_config_block,
    last_config_index,
    new_block,
    parse_block,
    set_flags,
)
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.commit_hash import commit_hash, read_commit_hash, set_commit_hash
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE
from fabric_protocol.expiry import Lifetimes
from fabric_protocol.known_sets import KnownSets
from fabric_protocol.validation import ValidatedBlock, validate_block
from fabric_protocol.validation_codes import ValidationCode

if TYPE_CHECKING:
    from fabric_protocol.identities import Identity
    from fabric_protocol.signatures import Signer
    from fabric_protocol.state import StateReader
    from fabric_protocol.updates import PublicUpdate

_NONCE_BYTES = 24
_APPLIED_AT_LEAST_EVERY = 200


@dataclass(frozen=True)
class OrderingNode:
    """Who signs the blocks."""

    identity: bytes
    signer: Signer


@dataclass(frozen=True)
class CommittedBlock:
    """A block that is synced to disk, and the view of the ledger after it.

    `purges`: it purged private data; `leaves_bytes`: purged or expired bytes may still be in a log.
    """

    record: BlockRecord
    validated: ValidatedBlock
    snapshot: Snapshot
    purges: bool
    leaves_bytes: bool


@dataclass(frozen=True)
class _WrittenBlock:
    """A block that is public already, while its private changes may still be missing."""

    record: BlockRecord
    validated: ValidatedBlock


class Committer:
    """The writer of one channel's ledger. One thread at a time.

    Parameters:
        directory: the ledger's directory.
        peers: peer identities by MSP id: whose private data is kept.
        node: signs the blocks.

    Raises:
        LedgerError: the files cannot be opened, or are of another version.
    """

    def __init__(self, directory: Path, peers: Mapping[str, Identity], node: OrderingNode) -> None:
        self.store = LedgerStore(directory)
        self.private_stores = {msp_id: PrivateStore(directory, msp_id) for msp_id in peers}
        self._stores = tuple(self.private_stores.values())
        self.pool = SnapshotPool(directory, peers)
        self.known_sets = KnownSets()
        self._peers = peers
        self.node = node
        self._previous_hash = b""
        self._commit_hash = b""
        self._height = 0
        self._last_config = 0
        self._lifecycle_height = 0
        self._unfinished: _WrittenBlock | None = None
        self.config: ChannelConfig

    def open(self, genesis: bytes) -> Snapshot:
        """Begin with the genesis block, or go on after the last block; make up for what a crash left undone.

        Parameters:
            genesis: M(Block) number 0.

        Returns:
            The view of the ledger as it is now.

        Raises:
            LedgerError: GENESIS_MISMATCH, if the ledger began with another block; LEDGER_DAMAGED.
        """
        first = parse_block(genesis)
        self.config = ChannelConfig.from_block(first)
        if self.store.height == 0:
            self._write(first, is_genesis=True)
        elif self.store.blocks.header_hash(0) != header_hash(first.header):
            raise LedgerError(
                "GENESIS_MISMATCH",
                f"the ledger in {self.store.path} began with another genesis block than the network's",
            )
        else:
            self._resume()
        self._catch_up()
        self.finish_purges()
        self.store.truncate_log()
        return self._snapshot()

    def commit(self, batch: Sequence[bytes]) -> CommittedBlock:
        """Make a block of these envelopes, judge it, and write it with all that follows from it.

        Parameters:
            batch: M(Envelope) of each transaction, in order.

        Raises:
            LedgerError: LEDGER_WRITE_FAILED: call again with the same batch; what was done is not done twice.
        """
        if self._unfinished is None:
            self._unfinished = self._write(self._next_block(batch))
        record, validated = self._unfinished.record, self._unfinished.validated
        if record.is_private or any(store.expires_by(record.number) for store in self._stores):
            self._apply_private(record.number, validated)
        snapshot = self._snapshot()
        self._unfinished = None
        leaves_bytes = any(store.is_purging for store in self._stores)
        purges = leaves_bytes and bool(validated.updates.purges)
        return CommittedBlock(record, validated, snapshot, purges, leaves_bytes)

    def _next_block(self, batch: Sequence[bytes]) -> Any:
        block = new_block(self._height, self._previous_hash, batch)
        return sign_block(
            block,
            last_config=self._height if is_config_block(block) else self._last_config,
            signer=self.node.signer,
            creator=self.node.identity,
            nonce=secrets.token_bytes(_NONCE_BYTES),
        )

    def log_bytes(self) -> int:
        """Size of the longest write-ahead log of the ledger's files."""
        return max([self.store.log_bytes(), *(store.log_bytes() for store in self._stores)])

    def checkpoint(self) -> None:
        """Copy what no reader holds back from the write-ahead logs into the files."""
        self.store.checkpoint()
        for store in self._stores:
            store.checkpoint()

    def truncate_logs(self, *, longer_than: int) -> None:
        """Cut the ledger's log, and those of private data that are longer than this many bytes."""
        self.store.truncate_log()
        for store in self._stores:
            if store.log_bytes() > longer_than:
                store.truncate_log()

    def finish_purges(self) -> bool:
        """Cut the logs of the organizations that have purged; call while nobody reads an older state.

        Returns:
            Whether no purged bytes are left anywhere.
        """
        waiting = [store for store in self._stores if store.is_purging]
        finished = [store.finish_purge() for store in waiting]
        return all(finished)

    def close(self) -> None:
        """Close all files. Snapshots that are still used must have been given back."""
        applied = self._height if self._unfinished is None else self._unfinished.record.number
        for store in self._stores:
            store.advance(applied)
        self.pool.close()
        for store in self._stores:
            store.close()
        self.store.close()

    def view(self) -> Snapshot:
        """The view of the ledger as it is now; call between two commits."""
        return self._snapshot()

    def _snapshot(self) -> Snapshot:
        snapshot = self.pool.take()
        snapshot.lifecycle_height = self._lifecycle_height
        return snapshot

    def _resume(self) -> None:
        number = self.store.height - 1
        last = self._stored(number)
        self._height = number + 1
        self._previous_hash = header_hash(last.header)
        self._commit_hash = read_commit_hash(last) if number else b""
        self._last_config = last_config_index(last)
        self._lifecycle_height = self._height
        self.config = ChannelConfig.from_block(self._stored(self._last_config))

    def _stored(self, number: int) -> Any:
        data = self.store.blocks.block(number)
        if data is None:
            raise LedgerError("LEDGER_DAMAGED", f"block {number} is missing in {self.store.path}")
        block = parse_block(data)
        check_link(block, number=number, previous_hash=self.store.blocks.header_hash(number - 1) or b"")
        return block

    def _write(self, block: Any, *, is_genesis: bool = False) -> _WrittenBlock:
        validated = validate_block(
            block,
            config=self.config,
            state=self.store.state,
            known_transactions=self.store.blocks.known,
            decode=self.known_sets.decode,
        )
        set_flags(block, validated.flags)
        new_commit_hash = b""
        if not is_genesis:
            new_commit_hash = commit_hash(validated.flags, validated.updates, self._commit_hash)
            set_commit_hash(block, new_commit_hash)
        record = _record(block, validated, _lifetimes(validated, self.store.state))
        self.store.commit(record)
        self._height = record.number + 1
        self._previous_hash = record.header_hash
        self._commit_hash = new_commit_hash
        if validated.new_config is not None:
            self.config = validated.new_config
            self._last_config = record.number
        namespaces = {update.namespace for update in validated.updates.public}
        namespaces.update(update.namespace for update in validated.updates.hashed)
        if LIFECYCLE_NAMESPACE in namespaces:
            self._lifecycle_height = self._height
        return _WrittenBlock(record, validated)

    def _apply_private(self, number: int, validated: ValidatedBlock) -> None:
        lifetimes = _lifetimes(validated, self.store.state)
        changes = {
            msp_id: private_block(
                number,
                validated,
                msp_id=msp_id,
                is_holder=holdings(peer, self.store.state, self.config),
                stores=self.private_stores,
                held=self.private_stores[msp_id].data,
                lifetimes=lifetimes,
            )
            for msp_id, peer in self._peers.items()
            if self.private_stores[msp_id].height <= number
        }
        # What one organization lends to another must outlive both their writes.
        is_lent = any(change.is_borrowed for change in changes.values())
        for msp_id, change in changes.items():
            self._apply_to(self.private_stores[msp_id], change, settles=not is_lent)
        if is_lent:
            settled = {transaction_id for change in changes.values() for transaction_id in change.settled}
            for store in self._stores:
                store.settle(settled.__contains__)

    def _apply_to(self, store: PrivateStore, change: PrivateBlock, *, settles: bool) -> None:
        if store.concerns(change):
            store.apply(change, settles=settles)
        elif change.number - store.height > _APPLIED_AT_LEAST_EVERY:
            store.advance(change.number + 1)

    def _catch_up(self) -> None:
        start = min((store.height for store in self._stores), default=self._height)
        for number in self.store.blocks.private_blocks(start):
            data = self.store.blocks.block(number) or b""
            self._apply_private(number, restore_validated(data, self.store.state))
        for store in self._stores:
            store.settle(self.store.blocks.is_known)
            last = self._height - 1
            if store.expires_by(last):
                store.apply(PrivateBlock(last), settles=False)
            store.advance(self._height)


def _lifetimes(validated: ValidatedBlock, state: StateReader) -> dict[tuple[str, str], int]:
    written = ((update.namespace, update.collection) for update in validated.updates.hashed)
    return Lifetimes(state).of(written)


def _record(block: Any, validated: ValidatedBlock, lifetimes: Mapping[tuple[str, str], int]) -> BlockRecord:
    return BlockRecord(
        number=block.header.number,
        header_hash=header_hash(block.header),
        is_private=changes_private_data(validated),
        data=block.SerializeToString(),
        transactions=tuple(
            TransactionEntry(transaction_id, position, code)
            for position, (transaction_id, code) in enumerate(
                zip(validated.transaction_ids, validated.codes, strict=True)
            )
        ),
        updates=validated.updates,
        history=tuple(_untold(validated)),
        lifetimes=lifetimes,
    )


def _untold(validated: ValidatedBlock) -> Iterator[HistoryEntry]:
    """What the state that the block leaves does not tell: deletions, and writes that others overtook."""
    valid = [
        (position, rwset)
        for position, (rwset, code) in enumerate(zip(validated.rwsets, validated.codes, strict=True))
        if rwset is not None and code == ValidationCode.VALID
    ]
    is_overtaken = _never if len(valid) == 1 else _overtaken(validated.updates.public)
    for position, rwset in valid:
        for entry in rwset.namespaces:
            for write in entry.writes:
                if write.is_delete or not write.value or is_overtaken(entry.namespace, write.key, position):
                    yield HistoryEntry(entry.namespace, write.key, position)


def _overtaken(updates: Iterable[PublicUpdate]) -> Callable[[str, str, int], bool]:
    last = {(update.namespace, update.key): update.version.transaction for update in updates}
    return lambda namespace, key, position: last.get((namespace, key)) != position


def _never(namespace: str, key: str, position: int) -> bool:
    return False
