"""One delivery: piece after piece, filtered by consents of now, proved, noted before it leaves."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress

import pyarrow as pa

from consentry.gate import row_blocks
from consentry.gate.consented_pieces import GIVEN_OUT, LETTERS, ConsentedPieces
from consentry.gate.journal import Journal, NotedDelivery, NotedPiece
from consentry.gate.permits import Permit, Permits
from consentry.gate.projection import kinds_of
from consentry.gate.resume_tokens import ResumeTokens
from consentry.gate.wire import Head, PieceProof, StreamWriter
from consentry_records.compact_tree import CompactTree
from consentry_records.delivery import NewDelivery
from consentry_records.digest import HMAC_SHA256_PREFIX, SHA256_PREFIX
from consentry_records.function import Computation
from consentry_records.instants import format_instant
from fabric_gateway import Clock

_PROOFS = (row_blocks.SUBJECT, row_blocks.CONSENT, row_blocks.DIGEST)
_WORDS = {letter: word for word, letter in LETTERS.items()}
_CONTENT_LABEL = b"consentry/content/1"
_HASH_BYTES = 32


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

    def add(self, digests: bytes, leaves: Sequence[bytes], reasons: str, size: int) -> None:
        """Add a piece: joined digests of the rows given out, leaf hashes of all, a letter for each, bytes."""
        rows = len(digests) // _HASH_BYTES
        if rows == len(leaves):
            self._tree.add(leaves)
        else:
            self._tree.add(compress(leaves, map(GIVEN_OUT.__eq__, reasons)))
        self._digest.update(digests)
        self.rows += rows
        self.sent += size
        self.gone_through += len(reasons)
        counts = {word: reasons.count(letter) for letter, word in _WORDS.items()}
        self.left_out.update({word: count for word, count in counts.items() if count})

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
class ReadyPiece:
    """A piece that is ready to leave: its bytes, and what is noted of it first.

    `digests` are those of the rows given out, over the columns that leave, joined; `leaves` those of all its
    rows.
    """

    data: bytes
    reasons: str
    first_row: int
    digests: bytes = field(repr=False)
    leaves: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a delivery works with."""

    permits: Permits
    journal: Journal
    tokens: ResumeTokens
    clock: Clock


class Delivery:
    """Rows of one version under one permit to one caller, from a row on; for one thread at a time."""

    def __init__(
        self,
        parts: Parts,
        permit: Permit,
        consented: ConsentedPieces,
        key: bytes,
        caller: str,
        noted: NotedDelivery,
        columns: Sequence[str],
    ) -> None:
        """Prepare it; `columns` of the data are those that leave, `key` that of a `Tally`."""
        self._parts = parts
        self.permit = permit
        self._consented = consented
        self._caller = caller
        self._noted = noted
        self.tally = Tally(key)
        pieces = consented.pieces
        self._values = kinds_of(pieces.index.schema, columns) if noted.is_part else None
        stored = pieces.schema()
        self._columns = [*columns, *_PROOFS] if len(stored) else []
        head = Head(
            version_id=noted.version_id,
            attempt_id=noted.attempt_id,
            number=noted.number,
            first_row=noted.first_row,
            schema=pieces.index.schema,
            key=key,
        )
        self._writer = StreamWriter(pa.schema([stored.field(name) for name in self._columns]), head)

    def begin(self) -> bytes:
        """Return the stream's head."""
        return self._writer.begin()

    def next(self) -> ReadyPiece | None:
        """Return the next piece, or None after the last, once the ledger has said that the permit holds.

        Raises:
            Stopped: it holds no more.
            LedgerUnreachable, NetworkRefused, ConfigurationError: STORE_DAMAGED, …
        """
        consented = self._consented.next()
        if consented is None:
            return None
        piece, next_row = consented.piece, self._consented.pieces.next_row
        proof = PieceProof(
            first_row=piece.first_row,
            unit=piece.unit,
            rows=piece.rows.num_rows,
            left_out=consented.left_out,
            leaves=[piece.leaves[place] for place in consented.left_out],
            path=piece.path,
            token=self._parts.tokens.make(self._noted.attempt_id, self._caller, next_row),
        )
        batch = consented.batch.select(self._columns)
        data = self._writer.piece(batch, proof)
        return ReadyPiece(data, consented.reasons, piece.first_row, self._digests(batch), piece.leaves)

    def note(self, piece: ReadyPiece) -> None:
        """Note a piece; from then on it counts as given out."""
        size, at = len(piece.data), format_instant(self._parts.clock())
        values = None if self._values is None else piece.digests
        noted = NotedPiece(piece.first_row, piece.reasons, size, at, values)
        self._parts.journal.note(self._noted.attempt_id, self._noted.number, noted)
        self.tally.add(piece.digests, piece.leaves, piece.reasons, size)

    def end(self, end: str) -> NewDelivery:
        """Note how it ended; return what is to be recorded."""
        ended_at = format_instant(self._parts.clock())
        self._parts.journal.end(self._noted.attempt_id, self._noted.number, end, ended_at)
        return self.tally.record(self._noted, end, ended_at)

    def last_bytes(self, record: NewDelivery, on_ledger: bool) -> bytes:
        """Return the stream's end."""
        return self._writer.end({"delivery": record.to_dict(), "recorded": on_ledger})

    def _digests(self, batch: pa.RecordBatch) -> bytes:
        """The registered digests of the rows; where only some columns leave, those of their values."""
        if self._values is None:
            return row_blocks.joined(batch.column(row_blocks.DIGEST))
        data = row_blocks.data_columns(batch)
        return b"".join(row_blocks.row_digests(self.tally.key, data, self._values))
