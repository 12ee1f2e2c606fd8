"""Blocks of rows: digests and leaves as the records define them, blocks as subtrees of the version's tree."""

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry.errors import InputRejected
from consentry.frame_rows import frame_rows, frame_schema
from consentry.gate import row_blocks
from consentry.manifests import ManifestRow
from consentry_records import merkle
from consentry_records.rows import row_digest, row_leaf

SECRET = b"s" * 32
VALUES = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(st.characters(codec="utf-8")),
    "bool": st.booleans(),
}


@st.composite
def batches(draw):
    names = draw(
        st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), unique=True, max_size=4)
    )
    rows = draw(st.integers(1, 4))
    columns = {}
    for name in ["first", *(name for name in names if name != "first")]:
        kind = draw(st.sampled_from(sorted(VALUES)))
        values = draw(st.lists(st.none() | VALUES[kind], min_size=rows, max_size=rows))
        columns[name] = pa.array(values, pa.type_for_alias(kind))
    return pa.RecordBatch.from_pydict(columns)


@given(batches())
def test_row_digests_are_those_of_the_records(batch):
    frame = batch.to_pandas(types_mapper=pd.ArrowDtype)
    schema = frame_schema(frame)
    expected = [row_digest(SECRET, row) for row in frame_rows(frame, schema)]
    digests = row_blocks.row_digests(SECRET, batch, schema)
    assert [f"hmac-sha256:{digest.hex()}" for digest in digests] == expected


@given(st.lists(st.tuples(*[st.binary(min_size=size, max_size=size) for size in (32, 32, 16)])))
def test_leaf_hashes_are_those_of_the_records(rows):
    digests, subjects, consents = ([row[i] for row in rows] for i in range(3))
    leaves = [
        row_leaf(f"hmac-sha256:{d.hex()}", f"hmac-sha256:{s.hex()}", f"consent-{c.hex()}") for d, s, c in rows
    ]
    assert row_blocks.leaf_hashes(digests, subjects, consents) == [merkle.leaf_hash(leaf) for leaf in leaves]


@given(st.integers(1, 70), st.sampled_from([1, 2, 4, 8, 16]))
def test_the_root_over_blocks_is_the_root_over_rows(count, size):
    hashes = [merkle.leaf_hash(bytes([number])) for number in range(count)]
    roots = [merkle.root_of_hashes(hashes[start : start + size]) for start in range(0, count, size)]
    assert merkle.root_of_hashes(roots) == merkle.root_of_hashes(hashes)


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 8))
def test_cutting_keeps_rows_and_order(sizes, rows):
    numbers = iter(range(1000))
    pieces = [
        pa.RecordBatch.from_pydict({"n": pa.array([next(numbers) for _ in range(s)], pa.int64())})
        for s in sizes
    ]
    cut = list(row_blocks.cut(pieces, rows))
    assert [value for batch in cut for value in batch.column("n").to_pylist()] == list(range(sum(sizes)))
    assert all(batch.num_rows == rows for batch in cut[:-1])


def test_wide_rows_make_small_blocks():
    assert row_blocks.block_rows(10) == 8192
    assert row_blocks.block_rows(1024) == 4096
    assert row_blocks.block_rows(10**9) == 1


def test_a_batch_comes_back_as_it_was():
    rows = [ManifestRow(f"hmac-sha256:{'0' * 64}", f"hmac-sha256:{'ab' * 32}", f"consent-{'cd' * 16}")]
    batch = row_blocks.with_proofs(pa.RecordBatch.from_pydict({"radius": [1.5]}), rows)
    again = row_blocks.decode(row_blocks.encode(batch))
    assert again.equals(batch)
    assert again.column(row_blocks.SUBJECT).to_pylist() == [bytes.fromhex("ab" * 32)]
    assert again.column(row_blocks.CONSENT).to_pylist() == [bytes.fromhex("cd" * 16)]
    leaf = row_leaf(rows[0].row_digest, rows[0].commitment, rows[0].consent_id)
    assert again.column(row_blocks.LEAF).to_pylist() == [merkle.leaf_hash(leaf)]
    assert row_blocks.data_columns(again).schema.names == ["radius"]


@pytest.mark.parametrize("name", ["consentry.subject", "x" * 257, "a\x00b", "a\nb", "\u202eabc"])
def test_hostile_column_names_are_refused(name):
    frame = pd.DataFrame({name: [1]})
    with pytest.raises(InputRejected) as caught:
        row_blocks.arrow_schema(frame, frame_schema(frame))
    assert caught.value.code == "COLUMN_NAME"
