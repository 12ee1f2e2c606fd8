"""Row digests are defined by values and kinds, not by how pandas or Arrow hold them: pinned for good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from consentry.data_files import read_frames
from consentry.errors import InputRejected
from consentry.frame_rows import frame_rows, frame_schema, schema_digest
from consentry_records.rows import row_digest

SECRET = b"k" * 32


def plain() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": np.array([41, 7], dtype="int64"),
            "radius": np.array([17.99, 1e-07]),
            "benign": np.array([True, False]),
            "stage": ["II", "Kölnisch"],
            "seen": pd.to_datetime(["2026-03-01T12:00:00.125Z", "2026-03-02T00:00:00.000Z"]),
        }
    )


FORMS = {
    "numpy": lambda frame: frame,
    "nullable": lambda frame: frame.convert_dtypes(),
    "arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "object": lambda frame: frame.assign(stage=frame["stage"].astype(object)),
    "small": lambda frame: frame.assign(age=frame["age"].astype("int8")),
    "categorical": lambda frame: frame.assign(stage=frame["stage"].astype("category")),
    "milliseconds": lambda frame: frame.assign(seen=frame["seen"].astype("datetime64[ms, UTC]")),
}


def digests(frame: pd.DataFrame) -> tuple[str, ...]:
    schema = frame_schema(frame)
    return (schema_digest(schema), *(row_digest(SECRET, row) for row in frame_rows(frame, schema)))


def test_the_values_of_a_row_are_these() -> None:
    frame = plain()
    assert list(frame_rows(frame, frame_schema(frame))) == [
        {"age": 41, "radius": "17.99", "benign": True, "stage": "II", "seen": "2026-03-01T12:00:00.125Z"},
        {
            "age": 7,
            "radius": "1e-07",
            "benign": False,
            "stage": "Kölnisch",
            "seen": "2026-03-02T00:00:00.000Z",
        },
    ]


@pytest.mark.parametrize("form", FORMS)
def test_digests_do_not_depend_on_how_values_are_held(form: str) -> None:
    assert digests(FORMS[form](plain())) == PINNED


PINNED = (
    "sha256:85a59a37387838e1a73d58839dabeac14d54c7e08b6396df0cfb0e789e02e120",
    "hmac-sha256:0e135a8c971e383fc1dddda13c1502ed26deb520d51a630e219f2a48a4d2d2cd",
    "hmac-sha256:b7c2ce8ca0b6523ca013c49ba35707342b61a9fd2302adeaf6d218d93348daaa",
)


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_a_parquet_file_gives_the_same_digests_in_any_pieces(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "rows.parquet"
    plain().to_parquet(path)
    pieces = list(read_frames(path, rows=rows))
    assert len(pieces) == -(-2 // rows)
    found = [digests(piece) for piece in pieces]
    assert {item[0] for item in found} == {PINNED[0]}
    assert tuple(digest for item in found for digest in item[1:]) == PINNED[1:]


def test_whole_numbers_stay_whole_beside_missing_values_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}).to_parquet(path)
    (piece,) = read_frames(path)
    assert frame_schema(piece) == [["n", "integer"]]
    assert list(frame_rows(piece, [["n", "integer"]])) == [{"n": 1}, {"n": None}]


def test_a_csv_file_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("pseudonym,n\n007,1\n008,2\n009,3\n")
    pieces = list(read_frames(path, rows=2))
    assert [list(piece["pseudonym"]) for piece in pieces] == [["007", "008"], ["009"]]


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "noise.parquet", "noise.csv"])
def test_a_file_that_cannot_be_read_is_refused_without_its_words(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("noise"):
        path.write_bytes(b"Jane Doe\xff\xfe")
    with pytest.raises(InputRejected) as caught:
        list(read_frames(path))
    assert caught.value.code == "FILE_UNREADABLE"
    assert "Jane" not in str(caught.value)
