"""A stored version in pieces as they travel: whole subtrees of the registered tree, small ones at first.

A recipient has something to check and to use as soon as the first few rows are there; from then on pieces
double until they are whole blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from consentry.gate import row_blocks
from consentry.gate.store import Index, StoredVersion
from consentry_records import merkle

FIRST_ROWS = 128


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows from `first_row` on that are one subtree over `unit` leaves, a power of two (the last has fewer).

    `rows` has proofs beside the data; `path` leads from the subtree's root to the registered one.
    """

    first_row: int
    unit: int
    rows: pa.RecordBatch
    leaves: list[bytes] = field(repr=False)
    path: list[bytes] = field(repr=False)


class Pieces:
    """The pieces of one version from a row on; for one thread at a time."""

    def __init__(self, stored: StoredVersion, first_row: int) -> None:
        self._stored = stored
        self._block_rows = stored.index.block_rows
        self._tree = merkle.levels(stored.roots or [merkle.root_of_hashes([])])
        self._block: _Block | None = None
        self._is_begun = False
        self.next_row = first_row

    @property
    def index(self) -> Index:
        """What is stored of the version."""
        return self._stored.index

    @property
    def are_over(self) -> bool:
        """Whether every row was gone through."""
        return self.next_row >= self.index.rows

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the stored rows with their proofs, and have the next block at hand; of a
        version without rows, an empty one.
        """
        if not self._stored.block_count:
            return pa.schema([])
        return self._loaded(min(self.next_row // self._block_rows, self._stored.block_count - 1)).rows.schema

    def peek(self) -> Piece:
        """Return the next piece; one that is not over is asked for."""
        number, place = divmod(self.next_row, self._block_rows)
        block, unit = self._loaded(number), self._unit(place)
        return Piece(
            first_row=self.next_row,
            unit=unit,
            rows=block.rows.slice(place, unit),
            leaves=block.leaves[place : place + unit],
            path=[*block.path(place, unit), *merkle.path_in(self._tree, number)],
        )

    def go_on(self, piece: Piece) -> None:
        """Leave a piece behind."""
        self.next_row = piece.first_row + piece.rows.num_rows
        self._is_begun = True

    def _loaded(self, number: int) -> _Block:
        if self._block is None or self._block.number != number:
            self._block = _Block(number, self._stored.block(number))
        return self._block

    def _unit(self, place: int) -> int:
        """How many leaves: in a block that is begun, as many as were gone through, so that they double."""
        if place:
            return place & -place
        return self._block_rows if self._is_begun else min(FIRST_ROWS, self._block_rows)


class _Block:
    """A block that was read, with the tree over its leaves if that is asked for."""

    def __init__(self, number: int, rows: pa.RecordBatch) -> None:
        self.number = number
        self.rows = rows
        self.leaves = row_blocks.cells(rows.column(row_blocks.LEAF))
        self._levels: Sequence[Sequence[bytes]] = ()

    def path(self, place: int, unit: int) -> tuple[bytes, ...]:
        """The path from the subtree at a place to the block's root."""
        if unit >= len(self.leaves):
            return ()
        if not self._levels:
            self._levels = merkle.levels(self.leaves)
        return merkle.path_in(self._levels[unit.bit_length() - 1 :], place // unit)
