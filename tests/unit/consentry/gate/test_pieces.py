"""Pieces: the rows in their order, each piece a subtree of the registered tree, small ones first."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry.gate import pieces, row_blocks
from consentry.gate.pieces import Pieces
from consentry.gate.store import Index
from consentry_records import merkle


class Stored:
    """A version of so many rows in blocks, numbered leaves."""

    def __init__(self, rows: int, block_rows: int) -> None:
        self.leaves = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(rows)]
        starts = range(0, rows, block_rows)
        self.roots = [merkle.root_of_hashes(self.leaves[start : start + block_rows]) for start in starts]
        self.block_count = len(self.roots)
        self.index = Index(rows, block_rows, [["n", "integer"]], [], [])
        self.read: list[int] = []

    def block(self, number: int) -> pa.RecordBatch:
        self.read.append(number)
        start = number * self.index.block_rows
        leaves = self.leaves[start : start + self.index.block_rows]
        numbers = pa.array(range(start, start + len(leaves)), pa.int64())
        return pa.RecordBatch.from_pydict({"n": numbers, row_blocks.LEAF: pa.array(leaves, pa.binary(32))})


def gone_through(stored: Any, first_row: int = 0) -> list[pieces.Piece]:
    cut, found = Pieces(stored, first_row), []
    while not cut.are_over:
        found.append(cut.peek())
        cut.go_on(found[-1])
    return found


@given(st.integers(1, 200), st.sampled_from([1, 2, 8, 32]), st.integers(0, 199), st.sampled_from([1, 4, 256]))
def test_every_row_comes_once_in_proved_subtrees(
    rows: int, block_rows: int, first: int, smallest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "FIRST_ROWS", smallest)
        stored = Stored(rows, block_rows)
        found = gone_through(stored, min(first, rows - 1))
    root = merkle.root_of_hashes(stored.leaves)
    values = [value for piece in found for value in piece.rows.column("n").to_pylist()]
    assert values == list(range(min(first, rows - 1), rows))
    for piece in found:
        assert piece.first_row % piece.unit == 0
        assert piece.rows.num_rows == min(piece.unit, rows - piece.first_row)
        subtree, count = merkle.root_of_hashes(piece.leaves), -(-rows // piece.unit)
        number = piece.first_row // piece.unit
        assert merkle.verify_hash_inclusion(subtree, number, count, piece.path, root)
    assert stored.read == sorted(set(stored.read)), "each block is read once"


def test_pieces_double_up_to_whole_blocks() -> None:
    found = gone_through(Stored(20_000, 8192))
    assert [piece.unit for piece in found] == [128, 128, 256, 512, 1024, 2048, 4096, 8192, 8192]


def test_a_stream_that_is_taken_up_goes_on_from_its_row() -> None:
    assert [piece.first_row for piece in gone_through(Stored(3000, 2048), 512)] == [512, 1024, 2048]


def test_an_empty_version_has_no_pieces_and_no_columns() -> None:
    cut = Pieces(Stored(0, 8192), 0)  # type: ignore[arg-type]
    assert cut.are_over
    assert cut.schema() == pa.schema([])


@pytest.mark.parametrize(
    "column",
    [pa.array([b"x"]), pa.array(["x" * 32]), pa.array([b"x" * 32, None], pa.binary(32)), pa.array([1])],
)
def test_what_is_no_column_of_hashes_is_refused(column: pa.Array) -> None:
    with pytest.raises(ValueError, match="expected hashes"):
        row_blocks.cells(column)


def test_cells_of_a_part_of_a_column_are_its_values() -> None:
    values = [bytes([number]) * 32 for number in range(9)]
    column = pa.array(values, pa.binary(32))
    assert row_blocks.cells(column.slice(2, 5)) == values[2:7]
    assert row_blocks.cells(column.slice(9)) == []
