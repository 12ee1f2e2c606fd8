"""Verification on arrival: each piece against the root that the ledger has; nothing after a fault is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from consentry.errors import ConsentryError, FrameRejected
from consentry.frame_rows import schema_digest
from consentry.gate import row_blocks
from consentry.gate.consented_pieces import GIVEN_OUT, LETTERS
from consentry.gate.delivering import Tally
from consentry.gate.projection import kinds_of
from consentry.gate.wire import Head, PieceProof
from consentry_records import merkle
from consentry_records.dataset import DatasetVersion
from consentry_records.delivery import NewDelivery
from consentry_records.digest import digest_bytes

_ANY_REASON = LETTERS["ended"]
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException)


class DataAltered(ConsentryError):
    """What came is not what was registered: DATA_ALTERED; `fields` has the row (counted from 0), or
    `first_row` of the piece that is none.

    The recipient's organization can put it on record: `ledger.breaches.record(natures=["integrity"], …)`.
    """


class Arrival:
    """Checks one stream of a version, in the order of its rows."""

    def __init__(
        self,
        version: DatasetVersion,
        metadata: Mapping[bytes, bytes],
        first_row: int,
        columns: Sequence[str] = (),
    ) -> None:
        """Read the stream's head; `columns` are those that the attempt names (none: all).

        Raises:
            DataAltered: it is not one of this version from this row on.
        """
        self._version = version
        try:
            self.head = Head.decode(metadata)
            fits = self.head.version_id == version.version_id and self.head.first_row == first_row
            fits = fits and schema_digest(self.head.schema) == version.schema_digest
            self.tally = Tally(self.head.key)
            self._schema = kinds_of(self.head.schema, columns) if columns else self.head.schema
            fits = fits and len(self._schema) == len(columns or self.head.schema)
        except _UNREADABLE:
            fits = False
        if not fits:
            raise self._altered(first_row)
        self._next = first_row

    @property
    def is_whole(self) -> bool:
        """Whether all rows have come or were said to be left out."""
        return self._next >= self._version.row_count

    def check(self, batch: pa.RecordBatch, metadata: Mapping[bytes, bytes]) -> PieceProof:
        """Check the next piece: its rows are registered ones, none is missing that is not said to be.

        Rows that lack columns are proved to be registered. That the values are theirs the custodian's word
        says, to which the delivery's record commits it (`check_end`).

        Raises:
            DataAltered: with the first row whose values are not the registered ones, or the piece.
        """
        try:
            proof = PieceProof.decode(metadata)
            reasons = self._reasons(proof, batch)
            digests = row_blocks.joined(batch.column(row_blocks.DIGEST))
            leaves = self._leaves(batch, proof)
            count = -(-self._version.row_count // proof.unit)
            holds = merkle.verify_hash_inclusion(
                merkle.root_of_hashes(leaves),
                proof.first_row // proof.unit,
                count,
                proof.path,
                digest_bytes(self._version.merkle_root),
            )
        except _UNREADABLE:
            raise self._altered(self._next) from None
        if not holds:
            raise self._altered(self._next)
        own = self._value_digests(batch, reasons)
        if len(self._schema) == len(self.head.schema):
            self._check_values(own, digests, reasons)
        self.tally.add(own, leaves, reasons, batch.nbytes)
        self._next += proof.rows
        return proof

    def check_end(self, record: NewDelivery) -> None:
        """Check what the gate says that it gave out against what came.

        Raises:
            DataAltered: DELIVERY_DIFFERS.
        """
        own = self.tally.content()
        if own != (record.row_count, record.delivered_root, record.content_digest):
            raise DataAltered("DELIVERY_DIFFERS", "the gate says that it gave out other rows than came")

    def _reasons(self, proof: PieceProof, batch: pa.RecordBatch) -> str:
        unit, places = proof.unit, set(proof.left_out)
        fits = unit > 0 and unit & (unit - 1) == 0 and self._next % unit == 0
        rows = min(unit, self._version.row_count - self._next)
        fits = fits and (proof.first_row, proof.rows) == (self._next, rows) and rows > 0
        fits = fits and all(type(place) is int and 0 <= place < rows for place in places)
        fits = fits and proof.left_out == sorted(places) and len(proof.leaves) == len(places)
        if not fits or batch.num_rows + len(places) != rows:
            raise ValueError("the piece has other rows than it says")
        if not places:
            return GIVEN_OUT * rows
        return "".join(_ANY_REASON if place in places else GIVEN_OUT for place in range(rows))

    def _leaves(self, batch: pa.RecordBatch, proof: PieceProof) -> list[bytes]:
        columns = (row_blocks.DIGEST, row_blocks.SUBJECT, row_blocks.CONSENT)
        came = row_blocks.leaf_hashes(*(row_blocks.cells(batch.column(name)) for name in columns))
        if not proof.left_out:
            return came
        rest, left_out = iter(came), dict(zip(proof.left_out, proof.leaves, strict=True))
        return [left_out[place] if place in left_out else next(rest) for place in range(proof.rows)]

    def _value_digests(self, batch: pa.RecordBatch, reasons: str) -> bytes:
        data = row_blocks.data_columns(batch)
        if data.schema.names != [name for name, _ in self._schema]:
            raise self._altered(self._next)
        try:
            return b"".join(row_blocks.row_digests(self.head.key, data, self._schema))
        except FrameRejected as error:
            raise self._altered_row(_places(reasons)[error.problems[0].row]) from None
        except _UNREADABLE:
            raise self._altered(self._next) from None

    def _check_values(self, own: bytes, digests: bytes, reasons: str) -> None:
        if own == digests:
            return
        size = len(own) // len(_places(reasons))
        for place, start in zip(_places(reasons), range(0, len(own), size), strict=True):
            if own[start : start + size] != digests[start : start + size]:
                raise self._altered_row(place)

    def _altered_row(self, place: int) -> DataAltered:
        row = self._next + place
        message = (
            f"row {row} of {self._version.version_id} is not the registered one; nothing from it on is used"
        )
        return DataAltered("DATA_ALTERED", message, {"version_id": self._version.version_id, "row": row})

    def _altered(self, row: int) -> DataAltered:
        version = self._version.version_id
        message = f"the rows of {version} from row {row} on are not the registered ones; they are not used"
        return DataAltered("DATA_ALTERED", message, {"version_id": version, "first_row": row})


def _places(reasons: str) -> list[int]:
    """The places in the block of the rows given out."""
    return [place for place, letter in enumerate(reasons) if letter == GIVEN_OUT]
