"""Rows and schema of a frame as exactly defined values."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry.errors import FrameRejected, InputRejected
from consentry.frame_rows import frame_rows, frame_schema, schema_digest
from consentry_records import canonical


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return list(frame_rows(frame, frame_schema(frame)))


def test_each_kind_has_its_form() -> None:
    frame = pd.DataFrame(
        {
            "flag": [True, False],
            "count": [1, -(2**53)],
            "size": [17.99, 1e-07],
            "time": pd.to_datetime(["2026-01-01T00:00:00.5Z", None]),
            "word": ["größe", None],
            "class": pd.Categorical(["a", "b"]),
            "maybe": pd.array([7, None], dtype="Int64"),
        }
    )
    assert frame_schema(frame) == [
        ["flag", "boolean"],
        ["count", "integer"],
        ["size", "number"],
        ["time", "instant"],
        ["word", "text"],
        ["class", "text"],
        ["maybe", "integer"],
    ]
    assert rows(frame) == [
        {
            "flag": True,
            "count": 1,
            "size": "17.99",
            "time": "2026-01-01T00:00:00.500Z",
            "word": "größe",
            "class": "a",
            "maybe": 7,
        },
        {
            "flag": False,
            "count": "-9007199254740992",
            "size": "1e-07",
            "time": None,
            "word": None,
            "class": "b",
            "maybe": None,
        },
    ]


@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=20))
def test_numbers_read_back_as_the_same_number(values: list[float]) -> None:
    for value, row in zip(values, rows(pd.DataFrame({"x": values})), strict=True):
        assert row["x"] is None if math.isnan(value) else float(row["x"]) == value


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_whole_numbers_of_any_size_can_be_encoded(values: list[int]) -> None:
    for value, row in zip(values, rows(pd.DataFrame({"x": values})), strict=True):
        assert int(row["x"]) == value
        canonical.encode(row)


def test_the_same_values_in_another_float_type_have_a_schema_of_their_own_kind_only() -> None:
    single = pd.DataFrame({"x": np.array([0.5], dtype="f4")})
    double = pd.DataFrame({"x": np.array([0.5], dtype="f8")})
    assert rows(single) == rows(double)
    assert schema_digest(frame_schema(single)) == schema_digest(frame_schema(double))


def test_names_kinds_and_their_order_make_the_schema() -> None:
    frame = pd.DataFrame({"a": [1], "b": [1.5]})
    digests = {
        schema_digest(frame_schema(other))
        for other in (frame, frame[["b", "a"]], frame.rename(columns={"a": "c"}), frame.astype({"a": float}))
    }
    assert len(digests) == 4


def test_the_index_does_not_matter() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    assert rows(frame) == rows(frame.set_axis([5, 5], axis=0))


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ([1.0, math.inf], 1),
        (pd.to_datetime(["2026-01-01T00:00:00.000001Z"]), 0),
        (pd.to_datetime(["2026-01-01T00:00:00"]), 0),
        (pd.to_datetime(["1960-01-01T00:00:00Z"]), 0),
        (pd.Series(["a", 1], dtype=object), 1),
        (pd.Series([b"bytes"], dtype=object), 0),
        (pd.Series(["\ud800"], dtype=object), 0),
    ],
)
def test_values_without_an_exact_form_are_named_by_row(values: Any, row: int) -> None:
    with pytest.raises(FrameRejected) as caught:
        rows(pd.DataFrame({"x": values}))
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(row, "x")]


@pytest.mark.parametrize("values", [[1j], pd.to_timedelta(["1s"]), pd.period_range("2026", periods=1)])
def test_kinds_without_an_exact_form_are_refused(values: Any) -> None:
    with pytest.raises(InputRejected) as caught:
        frame_schema(pd.DataFrame({"x": values}))
    assert caught.value.code == "COLUMN_KIND"


@pytest.mark.parametrize("names", [["a", "a"], [1, 2], ["a", ""], ["a", None]])
def test_column_names_are_text_and_different(names: list[object]) -> None:
    with pytest.raises(InputRejected) as caught:
        frame_schema(pd.DataFrame([[1, 2]], columns=names))
    assert caught.value.code == "FRAME_COLUMNS"


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
EDGES = [
    0.0,
    -0.0,
    1e-4,
    9.999e-5,
    1e-5,
    1e15,
    1e16,
    9999999999999998.0,
    1e17,
    5e-324,
    1.7976931348623157e308,
]


@given(st.lists(st.none() | FLOATS | st.floats(-1e4, 1e4, width=32) | st.sampled_from(EDGES), max_size=20))
def test_numbers_are_the_shortest_text_that_python_gives(numbers: list[float | None]) -> None:
    expected = [None if number is None else repr(number) for number in numbers]
    for dtype in ("Float64", "float64[pyarrow]", "float64"):
        frame = pd.DataFrame({"n": pd.array(numbers, dtype=dtype) if dtype != "float64" else numbers})
        if not numbers or all(number is None for number in numbers):
            frame["n"] = frame["n"].astype(dtype)
        assert [row["n"] for row in rows(frame)] == expected


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_shorter_numbers_are_taken_for_what_they_are(dtype: str) -> None:
    frame = pd.DataFrame({"n": np.array([0.1, 1e-7, 65504.0], dtype=dtype)})
    assert [row["n"] for row in rows(frame)] == [repr(float(value)) for value in frame["n"]]
