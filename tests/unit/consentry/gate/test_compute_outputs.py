"""What a sandbox wrote is read without belief: exactly the declared outputs, or none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry.errors import InputRejected
from consentry.gate.compute.outputs import ARRAYS, METRICS, Declared, read_outputs, typed
from consentry.gate.compute.sandbox import RunEnded
from consentry.weights import weights_bytes

DECLARED = {"update": Declared(ARRAYS, 400), "metrics": Declared(METRICS, 100)}
ARRAY = {"name": "w", "type": "f8", "shape": [2]}
DATA = np.array([1.5, -2.0]).tobytes()


def written(update: Any = None, metrics: Any = None, rest: bytes = DATA, **more: Any) -> bytes:
    outputs = {"update": [ARRAY] if update is None else update, "metrics": metrics or {"loss": 0.5}}
    return json.dumps({"outputs": {**outputs, **more}}).encode() + b"\n" + rest


def end_of(data: bytes) -> str:
    with pytest.raises(RunEnded) as caught:
        read_outputs(data, DECLARED)
    return caught.value.end


def test_declared_outputs_are_written_anew() -> None:
    found = read_outputs(written(metrics={"b": 1, "a": {"x": True}}), DECLARED)
    assert found["update"] == weights_bytes({"w": np.array([1.5, -2.0])})
    assert found["metrics"] == b'{"a":{"x":true},"b":1}'
    assert typed(ARRAYS, found["update"])["w"].tolist() == [1.5, -2.0]
    assert typed(METRICS, found["metrics"]) == {"a": {"x": True}, "b": 1}


@pytest.mark.parametrize("end", ["function-failed", "limit-exceeded", "outputs-refused"])
def test_what_the_sandbox_says_of_a_failure_is_taken(end: str) -> None:
    assert end_of(json.dumps({"failed": end}).encode()) == end


@pytest.mark.parametrize("said", ["completed", "Jane Doe", None, 7])
def test_other_words_of_a_failure_are_not(said: Any) -> None:
    assert end_of(json.dumps({"failed": said}).encode()) == "function-failed"


HOSTILE = {
    "nothing": b"",
    "no JSON": b"x\n",
    "no object": b"[]\n",
    "deep": b"[" * 100_000 + b"\n",
    "bytes more": written(rest=DATA + b"x"),
    "bytes fewer": written(rest=DATA[:-1]),
    "an output more": written(rows=[]),
    "an output named elsewhere": written(**{"../update": []}),
    "a pickle": written([{**ARRAY, "type": "O8"}]),
    "a type with fields": written([{**ARRAY, "type": "f8,f8"}]),
    "text": written([{**ARRAY, "type": "U2"}]),
    "an array's name": written([{**ARRAY, "name": "../w"}]),
    "no name": written([{**ARRAY, "name": None}]),
    "the same name": written([ARRAY, ARRAY], rest=DATA + DATA),
    "huge": written([{**ARRAY, "shape": [1 << 62]}]),
    "overflowing": written([{**ARRAY, "shape": [1 << 62, 1 << 62]}]),
    "negative": written([{**ARRAY, "shape": [-1, -2]}]),
    "not whole": written([{**ARRAY, "shape": [2.0]}]),
    "many extents": written([{**ARRAY, "shape": [1] * 70}], rest=DATA[:8]),
    "too large": written([{**ARRAY, "shape": [100]}], rest=bytes(800)),
    "no arrays": written([], rest=b""),
    "metrics as text": written(metrics={"x": "Jane"}),
    "a metric's name": written(metrics={"Jane Doe": 1}),
    "a list of metrics": written(metrics={"x": [1, 2]}),
    "metrics too deep": written(metrics={"a": {"a": {"a": {"a": {"a": 1}}}}}),
    "many metrics": written(metrics={f"m{number}": 1 for number in range(300)}),
    "large metrics": written(metrics={f"m{number}": 1 for number in range(50)}),
    "not finite": written(metrics={"x": float("inf")}),
    "overflowing metric": written().replace(b"0.5", b"1e999"),
    "a long number": written().replace(b"0.5", b"9" * 5000),
}


@pytest.mark.parametrize("data", list(HOSTILE.values()), ids=list(HOSTILE))
def test_nothing_else_comes_out(data: bytes) -> None:
    assert end_of(data) == "outputs-refused"


@given(noise=st.binary(max_size=200), place=st.integers(0, 120))
def test_noise_never_becomes_another_error(noise: bytes, place: int) -> None:
    true = written()
    end = "outputs-refused"
    try:
        found = read_outputs(true[:place] + noise + true[place:], DECLARED)
    except RunEnded as ended:
        found, end = {}, ended.end
    assert end in ("outputs-refused", "function-failed")
    assert set(found) in (set(), set(DECLARED))


@pytest.mark.parametrize(("kind", "data"), [(ARRAYS, b"x"), (METRICS, b"[]"), (METRICS, b"[" * 100_000)])
def test_a_recipient_believes_no_bytes_either(kind: str, data: bytes) -> None:
    with pytest.raises(InputRejected) as caught:
        typed(kind, data)
    assert caught.value.code == "OUTPUT_UNREADABLE"
