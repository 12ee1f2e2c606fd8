"""One delivery: block after block, filtered by consents of now, proved, noted before it leaves."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from consentry.gate import row_blocks
from consentry.gate.consented_blocks import GIVEN_OUT, LETTERS, ConsentedBlocks
from consentry.gate.journal import Journal, NotedBlock, NotedDelivery
from consentry.gate.permits import Permit, Permits
from consentry.gate.projection import kinds_of
from consentry.gate.resume_tokens import ResumeTokens
from consentry.gate.store import StoredVersion
from consentry.gate.wire import BlockProof, Head, StreamWriter
from consentry_records import merkle
from consentry_records.compact_tree import CompactTree
from consentry_records.delivery import NewDelivery
from consentry_records.digest import HMAC_SHA256_PREFIX, SHA256_PREFIX
from consentry_records.function import Computation
from consentry_records.instants import format_instant
from fabric_gateway import Clock

_PROOFS = (row_blocks.SUBJECT, row_blocks.CONSENT, row_blocks.DIGEST)
_WORDS = {letter: word for word, letter in LETTERS.items()}
_CONTENT_LABEL = b"consentry/content/1"


@dataclass
class Tally:
    """What was given out so far: counts, the tree over the leaves, the keyed digest of the rows' digests.

    `key` is the dataset's secret; where only some columns leave, `projection.value_key`.
    """

    key: bytes = field(repr=False)
    rows: int = 0
    sent: int = 0
    gone_through: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._tree = CompactTree()
        self._digest = hmac.new(self.key, _CONTENT_LABEL, "sha256")

    def add(self, digests: Sequence[bytes], leaves: Sequence[bytes], reasons: str, size: int) -> None:
        """Add a block: digests of the rows given out, leaf hashes of all, a letter for each, bytes sent."""
        if len(digests) == len(leaves):
            self._tree.add(leaves)
        else:
            self._tree.add(leaf for leaf, letter in zip(leaves, reasons, strict=True) if letter == GIVEN_OUT)
        self._digest.update(b"".join(digests))
        self.rows += len(digests)
        self.sent += size
        self.gone_through += len(reasons)
        self.left_out.update(_WORDS[letter] for letter in reasons if letter != GIVEN_OUT)

    def content(self) -> tuple[int, str, str]:
        """Return how many rows, the Merkle root over their leaves, and the keyed digest of their digests."""
        root, digest = self._tree.root().hex(), self._digest.hexdigest()
        return self.rows, SHA256_PREFIX + root, HMAC_SHA256_PREFIX + digest

    def record(self, noted: NotedDelivery, end: str, ended_at: str) -> NewDelivery:
        """Return the record of the delivery."""
        rows, root, digest = self.content()
        computation = None if noted.computation is None else Computation.from_bytes(noted.computation)
        outputs = () if computation is None else computation.outputs
        return NewDelivery(
            attempt_id=noted.attempt_id,
            number=noted.number,
            end=end,
            first_row=noted.first_row,
            next_row=noted.first_row + self.gone_through,
            row_count=rows,
            byte_count=self.sent + sum(output.byte_count for output in outputs),
            left_out=dict(self.left_out),
            delivered_root=root,
            content_digest=noted.content or digest,
            started_at=noted.started_at,
            ended_at=max(ended_at, noted.started_at),
            computation=computation,
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is ready to leave: its bytes, and what is noted of it first.

    `digests` are those of the rows given out, over the columns that leave; `leaves` those of all its rows.
    """

    data: bytes
    reasons: str
    number: int
    digests: list[bytes] = field(repr=False)
    leaves: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a delivery works with."""

    permits: Permits
    journal: Journal
    tokens: ResumeTokens
    clock: Clock


class Delivery:
    """Rows of one version under one permit to one caller, from a block on; for one thread at a time."""

    def __init__(
        self,
        parts: Parts,
        permit: Permit,
        stored: StoredVersion,
        key: bytes,
        blocks: ConsentedBlocks,
        caller: str,
        noted: NotedDelivery,
        columns: Sequence[str],
    ) -> None:
        """Prepare it; `columns` of the data are those that leave, `key` that of a `Tally`."""
        self._parts = parts
        self.permit = permit
        self._stored = stored
        self._blocks = blocks
        self._caller = caller
        self._noted = noted
        self._tree = merkle.levels(stored.roots or [merkle.root_of_hashes([])])
        self.tally = Tally(key)
        self._values = kinds_of(stored.index.schema, columns) if noted.is_part else None
        schema = stored.block(0).schema if stored.block_count else pa.schema([])
        self._columns = [*columns, *_PROOFS] if stored.block_count else []
        head = Head(
            version_id=stored.version_id,
            attempt_id=noted.attempt_id,
            number=noted.number,
            first_block=noted.first_block,
            block_rows=stored.index.block_rows,
            schema=stored.index.schema,
            key=key,
        )
        self._writer = StreamWriter(pa.schema([schema.field(name) for name in self._columns]), head)

    def begin(self) -> bytes:
        """Return the stream's head."""
        return self._writer.begin()

    def next(self) -> Block | None:
        """Return the next block, or None after the last, once the ledger has said that the permit holds.

        Raises:
            Stopped: it holds no more.
            LedgerUnreachable, NetworkRefused, ConfigurationError: STORE_DAMAGED, …
        """
        block = self._blocks.next()
        if block is None:
            return None
        left_out = block.left_out
        proof = BlockProof(
            block=block.number,
            rows=len(block.reasons),
            left_out=left_out,
            leaves=[block.leaves[place] for place in left_out],
            path=list(merkle.path_in(self._tree, block.number)),
            token=self._parts.tokens.make(self.permit.attempt.attempt_id, self._caller, block.number + 1),
        )
        batch = block.batch.select(self._columns)
        data = self._writer.block(batch, proof)
        return Block(data, block.reasons, block.number, self._digests(batch), block.leaves)

    def note(self, block: Block) -> None:
        """Note a block; from then on it counts as given out."""
        size, at = len(block.data), format_instant(self._parts.clock())
        values = None if self._values is None else b"".join(block.digests)
        noted = NotedBlock(block.number, block.reasons, size, at, values)
        self._parts.journal.note(self._noted.attempt_id, self._noted.number, noted)
        self.tally.add(block.digests, block.leaves, block.reasons, size)

    def end(self, end: str) -> NewDelivery:
        """Note how it ended; return what is to be recorded."""
        ended_at = format_instant(self._parts.clock())
        self._parts.journal.end(self._noted.attempt_id, self._noted.number, end, ended_at)
        return self.tally.record(self._noted, end, ended_at)

    def last_bytes(self, record: NewDelivery, on_ledger: bool) -> bytes:
        """Return the stream's end."""
        return self._writer.end({"delivery": record.to_dict(), "recorded": on_ledger})

    def _digests(self, batch: pa.RecordBatch) -> list[bytes]:
        """The registered digests of the rows; where only some columns leave, those of their values."""
        if self._values is None:
            digests: list[bytes] = batch.column(row_blocks.DIGEST).to_pylist()
            return digests
        return row_blocks.row_digests(self.tally.key, row_blocks.data_columns(batch), self._values)
