"""Verification on arrival: each block against the root that the ledger has; nothing after a fault is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from consentry.errors import ConsentryError, FrameRejected
from consentry.frame_rows import schema_digest
from consentry.gate import row_blocks
from consentry.gate.consented_blocks import GIVEN_OUT, LETTERS
from consentry.gate.delivering import Tally
from consentry.gate.projection import kinds_of
from consentry.gate.wire import BlockProof, Head
from consentry_records import merkle
from consentry_records.dataset import DatasetVersion
from consentry_records.delivery import NewDelivery
from consentry_records.digest import digest_bytes

_ANY_REASON = LETTERS["ended"]
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException)


class DataAltered(ConsentryError):
    """What came is not what was registered: DATA_ALTERED; `fields` has the row (counted from 0) or block.

    The recipient's organization can put it on record: `ledger.breaches.record(natures=["integrity"], …)`.
    """


class Arrival:
    """Checks one stream of a version, in the order of its blocks."""

    def __init__(
        self,
        version: DatasetVersion,
        metadata: Mapping[bytes, bytes],
        first_block: int,
        columns: Sequence[str] = (),
    ) -> None:
        """Read the stream's head; `columns` are those that the attempt names (none: all).

        Raises:
            DataAltered: it is not one of this version from this block on.
        """
        self._version = version
        try:
            self.head = Head.decode(metadata)
            size = self.head.block_rows
            fits = self.head.version_id == version.version_id and self.head.first_block == first_block
            fits = fits and size > 0 and size & (size - 1) == 0
            fits = fits and schema_digest(self.head.schema) == version.schema_digest
            self.tally = Tally(self.head.key)
            self._schema = kinds_of(self.head.schema, columns) if columns else self.head.schema
            fits = fits and len(self._schema) == len(columns or self.head.schema)
        except _UNREADABLE:
            fits = False
        if not fits:
            raise self._altered(block=first_block)
        self._next = first_block
        self._count = -(-version.row_count // size) if version.row_count else 0

    @property
    def is_whole(self) -> bool:
        """Whether all blocks have come."""
        return self._next >= self._count

    def check(self, batch: pa.RecordBatch, metadata: Mapping[bytes, bytes]) -> BlockProof:
        """Check the next block: its rows are registered ones, none is missing that is not said to be.

        Rows that lack columns are proved to be registered. That the values are theirs the custodian's word
        says, to which the delivery's record commits it (`check_end`).

        Raises:
            DataAltered: with the first row whose values are not the registered ones, or the block.
        """
        number = self._next
        try:
            proof = BlockProof.decode(metadata)
            reasons = self._reasons(proof, batch)
            digests = batch.column(row_blocks.DIGEST).to_pylist()
            leaves = self._leaves(batch, digests, proof)
            root = merkle.root_of_hashes(leaves)
            expected = digest_bytes(self._version.merkle_root)
            holds = merkle.verify_hash_inclusion(root, number, self._count, proof.path, expected)
        except _UNREADABLE:
            raise self._altered(block=number) from None
        if not holds:
            raise self._altered(block=number)
        own = self._value_digests(batch, reasons)
        if len(self._schema) == len(self.head.schema):
            self._check_values(own, digests, reasons)
        self.tally.add(own, leaves, reasons, batch.nbytes)
        self._next += 1
        return proof

    def check_end(self, record: NewDelivery) -> None:
        """Check what the gate says that it gave out against what came.

        Raises:
            DataAltered: DELIVERY_DIFFERS.
        """
        own = self.tally.content()
        if own != (record.row_count, record.delivered_root, record.content_digest):
            raise DataAltered("DELIVERY_DIFFERS", "the gate says that it gave out other rows than came")

    def _reasons(self, proof: BlockProof, batch: pa.RecordBatch) -> str:
        size = self.head.block_rows
        rows = min(size, self._version.row_count - self._next * size)
        places = set(proof.left_out)
        fits = (proof.block, proof.rows) == (self._next, rows) and len(places) == len(proof.left_out)
        fits = fits and all(type(place) is int and 0 <= place < rows for place in places)
        fits = fits and proof.left_out == sorted(places) and len(proof.leaves) == len(places)
        if not fits or batch.num_rows + len(places) != rows:
            raise ValueError("the block has other rows than it says")
        return "".join(_ANY_REASON if place in places else GIVEN_OUT for place in range(rows))

    def _leaves(self, batch: pa.RecordBatch, digests: list[bytes], proof: BlockProof) -> list[bytes]:
        subjects, consents = (batch.column(n).to_pylist() for n in (row_blocks.SUBJECT, row_blocks.CONSENT))
        came = iter(row_blocks.leaf_hashes(digests, subjects, consents))
        left_out = dict(zip(proof.left_out, proof.leaves, strict=True))
        return [left_out[place] if place in left_out else next(came) for place in range(proof.rows)]

    def _value_digests(self, batch: pa.RecordBatch, reasons: str) -> list[bytes]:
        data = row_blocks.data_columns(batch)
        if data.schema.names != [name for name, _ in self._schema]:
            raise self._altered(block=self._next)
        try:
            return row_blocks.row_digests(self.head.key, data, self._schema)
        except FrameRejected as error:
            raise self._altered_row(_places(reasons)[error.problems[0].row]) from None
        except _UNREADABLE:
            raise self._altered(block=self._next) from None

    def _check_values(self, own: Sequence[bytes], digests: Sequence[bytes], reasons: str) -> None:
        if own == digests:
            return
        for place, mine, said in zip(_places(reasons), own, digests, strict=True):
            if mine != said:
                raise self._altered_row(place)

    def _altered_row(self, place: int) -> DataAltered:
        row = self._next * self.head.block_rows + place
        message = (
            f"row {row} of {self._version.version_id} is not the registered one; nothing from it on is used"
        )
        return DataAltered("DATA_ALTERED", message, {"version_id": self._version.version_id, "row": row})

    def _altered(self, *, block: int) -> DataAltered:
        message = f"block {block} of {self._version.version_id} is not of the registered rows; it is not used"
        return DataAltered("DATA_ALTERED", message, {"version_id": self._version.version_id, "block": block})


def _places(reasons: str) -> list[int]:
    """The places in the block of the rows given out."""
    return [place for place, letter in enumerate(reasons) if letter == GIVEN_OUT]
