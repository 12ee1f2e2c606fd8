"""Follows a channel's blocks into the index: each is proved first, then written whole or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from consentry.index.checkpoint import Checkpoint, IndexFault, read_checkpoint, write_checkpoint
from consentry.index.copies import Copies, read_together
from consentry.index.database import refresh_statistics, writing
from consentry.index.epochs import follow_epochs
from consentry.index.state import SqlLedgerState
from consentry.index.store import BlockWriter
from consentry.verification import (
    BlockSource,
    ChainVerifier,
    Difference,
    Finding,
    ProvedBlock,
)
from consentry.verification.anchors import normalized_anchor

_MOST_BYTES = 4 * 1024 * 1024
"""Blocks of this size together are committed: another follower waits for seconds at most."""


class BlockRefused(IndexFault):
    """The next block does not hold; nothing of it was indexed. ``difference`` says what and where."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(
            "BLOCK_REFUSED",
            f"{difference.source}: {difference.sentence} The index stays before block {difference.block}.",
            {"block": difference.block, "kind": str(difference.kind)},
        )
        self.difference = difference


@dataclass(frozen=True)
class IndexProgress:
    """How far a follower got: blocks in the index, and transactions that this run added."""

    next_block: int
    transactions: int


class IndexFollower:
    """Fills the index from one organization's peer (or a directory of blocks), from where it stands.

    Killed at any instant it leaves the index as after some whole number of blocks; started again it goes on
    there. Several may fill one index: what another one has indexed meanwhile is passed over, so that whatever
    runs for an organization proves each block once.

    Args:
        engine: the index's database, from ``open_database``.
        namespace: name of the chaincode whose records are indexed, e.g. ``consentry``.
        anchor: hex SHA-256 of the genesis header, kept outside the ledger; without it the index is
            not anchored.
    """

    def __init__(self, engine: Engine, namespace: str, anchor: str | None = None) -> None:
        self._engine = engine
        self._namespace = namespace
        self._anchor = normalized_anchor(anchor)

    @property
    def next_block(self) -> int:
        """Number of the first block that is not indexed."""
        with self._engine.connect() as connection:
            found = read_checkpoint(connection)
        return found.position.next_block if found is not None else 0

    def follow(
        self,
        source: BlockSource,
        progress: Callable[[IndexProgress], None] | None = None,
        *,
        others: Sequence[BlockSource] = (),
        blocks_a_transaction: int = 64,
    ) -> IndexProgress:
        """Index what a source gives from the checkpoint on, until it gives no more.

        Args:
            source: one copy of the chain; one that waits for new blocks makes this wait too.
            others: further copies, of other organizations' peers: each block of theirs has to hold and to
                have the same header, validation codes and commit hash.
            progress: called after each database transaction.
            blocks_a_transaction: how many blocks are committed together; 1 where a source waits for new ones.

        Returns:
            How far the index got.

        Raises:
            BlockRefused: at the first block that does not hold; all blocks before it are indexed.
            IndexFault: INDEX_MOVED, another follower indexed blocks that were to be compared with other
                copies, or the index was emptied; INDEX_VERSION.
            VerificationError: the anchor is not that of what is already indexed.
        """
        done = IndexProgress(self.next_block, 0)
        batch: list[Copies] = []
        for copies in read_together((source, *others), done.next_block):
            batch.append(copies)
            if len(batch) >= blocks_a_transaction or _size(batch) >= _MOST_BYTES:
                done = self._index(batch, done, progress)
                batch = []
        return self._index(batch, done, progress) if batch else done

    def _index(
        self,
        blocks: Sequence[Copies],
        before: IndexProgress,
        progress: Callable[[IndexProgress], None] | None,
    ) -> IndexProgress:
        refused: Difference | None = None
        with writing(self._engine) as connection:
            session = _Session.open(connection, self._namespace, self._anchor)
            begin = session.chain.position.next_block
            if begin < before.next_block or (begin > before.next_block and len(blocks[0]) > 1):
                raise IndexFault("INDEX_MOVED", "Another program moved the index meanwhile; start again.")
            for copies in blocks:
                refused = session.add(copies) if copies[0].number >= begin else None
                if refused is not None:
                    break
            session.close(begin)
        done = IndexProgress(session.chain.position.next_block, before.transactions + session.transactions)
        if _has_grown(begin, done.next_block):
            refresh_statistics(self._engine)
        if progress is not None:
            progress(done)
        if refused is not None:
            raise BlockRefused(refused)
        return done


def _has_grown(before: int, after: int) -> bool:
    """Whether the index is so much larger that its statistics are to be made anew: twice, or 1024 blocks."""
    return before.bit_length() != after.bit_length() or before >> 10 != after >> 10


def _size(batch: Sequence[Copies]) -> int:
    return sum(len(copies[0].data or b"") for copies in batch)


class _Session:
    """One database transaction's worth of blocks."""

    def __init__(self, connection: Connection, namespace: str, chain: ChainVerifier, anchored: bool) -> None:
        self._connection = connection
        self._writer = BlockWriter(connection, namespace)
        self._anchored = anchored
        self.chain = chain
        self.transactions = 0

    @classmethod
    def open(cls, connection: Connection, namespace: str, anchor: str | None) -> "_Session":
        found = read_checkpoint(connection)
        chain = ChainVerifier(SqlLedgerState(connection), anchor, found.position if found else None)
        # An anchor given later proves just as well: it is compared with the genesis that everything rests on.
        anchored = anchor is not None or (found is not None and found.anchored)
        return cls(connection, namespace, chain, anchored)

    def add(self, copies: Copies) -> Difference | None:
        """Prove the next block from every copy, then write it; what differs where, if anything does."""
        proved: ProvedBlock | None = None
        for copy in copies:
            try:
                proved = copy.agree(self.chain, proved)
            except Finding as finding:
                return finding.in_source(copy.name)
        assert proved is not None, "there is one copy at least"  # noqa: S101
        config = proved.config if proved.number == 0 else self.chain.config
        self._writer.write(proved, config)
        self.chain.accept(proved)
        self.transactions += len(proved.codes)
        return None

    def close(self, expected_block: int) -> None:
        position = self.chain.position
        if position.next_block == expected_block:
            return
        for custodian in self._writer.closing:
            follow_epochs(self._connection, custodian)
        new = Checkpoint(self.chain.config.channel_id, position, self._anchored)
        write_checkpoint(self._connection, new, expected_block)
