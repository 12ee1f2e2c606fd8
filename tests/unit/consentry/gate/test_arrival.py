"""A gate that lies about what a piece is: nothing of the piece is used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from support.gate_bench import PEOPLE, GateBench, all_bytes

from consentry.gate.arrival import Arrival, DataAltered
from consentry.gate.wire import HEAD, PROOF

HASH = "A" * 43 + "="


@pytest.fixture
def arrived(
    bench: GateBench,
) -> Iterator[tuple[GateBench, dict[bytes, bytes], pa.RecordBatch, dict[str, Any]]]:
    """The head, the second piece and its proof, of a stream with one row left out of it."""
    bench.steward.consents.withdraw(pseudonym=PEOPLE[11])
    with pa.ipc.open_stream(all_bytes(bench.deliver(bench.attempt()), blocks=2)) as reader:
        reader.read_next_batch()
        batch, metadata = reader.read_next_batch_with_custom_metadata()
        yield bench, dict(reader.schema.metadata), batch, json.loads(metadata[PROOF])


def check(
    bench: GateBench, head: dict[bytes, bytes], batch: pa.RecordBatch, proof: Any, first_row: int = 8
) -> None:
    document = json.loads(head[HEAD]) | {"first_row": first_row}
    arrival = Arrival(bench.version, {HEAD: json.dumps(document).encode()}, first_row)
    arrival.check(batch, {PROOF: json.dumps(proof).encode()})


def test_the_piece_as_it_is_is_taken(arrived: Any) -> None:
    check(*arrived)
    assert arrived[3]["left_out"] == [3]


OTHER_PROOFS: tuple[dict[str, Any], ...] = (
    {"unit": 0},
    {"unit": -8},
    {"unit": 3},
    {"unit": 4},
    {"unit": 16},
    {"unit": 2**70},
    {"unit": 8.0},
    {"unit": "8"},
    {"unit": None},
    {"first_row": 0},
    {"first_row": 16},
    {"first_row": "8"},
    {"rows": 7},
    {"rows": 9},
    {"rows": None},
    {"left_out": []},
    {"left_out": [4]},
    {"left_out": [3, 3]},
    {"left_out": [3, 4]},
    {"left_out": [8]},
    {"left_out": [-5]},
    {"left_out": [True]},
    {"left_out": ["3"]},
    {"left_out": 3},
    {"leaves": ""},
    {"leaves": HASH},
    {"leaves": "not base64"},
    {"path": ""},
    {"path": HASH},
    {"path": None},
)


# One stream for all of them: making it takes longer than checking it.
def test_a_proof_that_says_something_else_is_refused(arrived: Any) -> None:
    bench, head, batch, proof = arrived
    for changes in OTHER_PROOFS:
        with pytest.raises(DataAltered) as caught:
            check(bench, head, batch, proof | changes)
        assert caught.value.fields["first_row"] == 8


def test_what_is_no_proof_is_refused(arrived: Any) -> None:
    bench, head, batch, _ = arrived
    for proof in (None, [], {}, "x", {"unit": 8}):
        with pytest.raises(DataAltered):
            check(bench, head, batch, proof)


def test_a_piece_in_another_place_is_refused(arrived: Any) -> None:
    bench, head, batch, proof = arrived
    for first_row in (0, 4, 12, 16, 37, 1000):
        with pytest.raises(DataAltered):
            check(bench, head, batch, proof | {"first_row": first_row}, first_row)


def without(name: str) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    return lambda batch: batch.drop_columns([name])


def of_text(name: str) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def made(batch: pa.RecordBatch) -> pa.RecordBatch:
        place = batch.schema.get_field_index(name)
        return batch.set_column(place, name, pa.array(["x" * 32] * batch.num_rows))

    return made


def turned(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.take(list(reversed(range(batch.num_rows))))


OTHER_ROWS: tuple[Callable[[pa.RecordBatch], pa.RecordBatch], ...] = (
    *(without(name) for name in ("radius", "grade", "consentry.subject", "consentry.digest")),
    *(of_text(name) for name in ("consentry.subject", "consentry.consent", "consentry.digest", "radius")),
    lambda batch: batch.slice(1),
    lambda batch: batch.append_column("more", pa.array([1] * batch.num_rows)),
    turned,
)


def test_rows_of_another_form_or_order_are_refused(arrived: Any) -> None:
    bench, head, batch, proof = arrived
    for change in OTHER_ROWS:
        with pytest.raises(DataAltered):
            check(bench, head, change(batch), proof)


def test_what_is_no_head_is_refused(bench: GateBench) -> None:
    for content in (None, b"", b"[]", b"{}", b'{"key": 1}', b"\xff"):
        with pytest.raises(DataAltered):
            Arrival(bench.version, {} if content is None else {HEAD: content}, 0)
