"""Dataset versions from files, read piece by piece, with the real contracts; files of rows that are kept."""

from __future__ import annotations

import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame

from consentry import data_files
from consentry.data_files import read_frames, write_frames
from consentry.errors import FrameRejected, InputRejected

NORTHGATE = "NorthgateMSP"
PEOPLE = ["p", "q", "r"]
TERMS = {"name": "cells", "categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
ROWS = pd.DataFrame({"pseudonym": PEOPLE, "radius": [17.99, 20.57, 0.1], "benign": [False, True, True]})


@pytest.fixture
def steward(ledger_of):
    ledger = ledger_of(NORTHGATE, "steward")
    ledger.consents.import_frame(consent_frame(PEOPLE))
    return ledger


@pytest.fixture
def pieces_of_two(monkeypatch):
    """Files are read two rows at a time, as large ones are in pieces of more."""
    for read in (data_files.read_csv, data_files.read_parquet, data_files.read_frames):
        defaults = tuple(2 if value == data_files.PIECE_ROWS else value for value in read.__defaults__)
        monkeypatch.setattr(read, "__defaults__", defaults)


def test_a_file_is_the_version_that_its_rows_are(steward, tmp_path, pieces_of_two):
    whole = steward.datasets.register_frame(ROWS, **TERMS)
    ROWS.to_csv(tmp_path / "rows.csv", index=False)
    ROWS.to_parquet(tmp_path / "rows.parquet")
    seen = []
    versions = [
        steward.datasets.register_csv(tmp_path / "rows.csv", progress=seen.append, **TERMS),
        steward.datasets.register_parquet(tmp_path / "rows.parquet", progress=seen.append, **TERMS),
    ]
    assert seen == [2, 3, 2, 3]
    assert {(v.content_digest, v.schema_digest, v.merkle_root) for v in versions} == {
        (whole.content_digest, whole.schema_digest, whole.merkle_root)
    }
    both = steward.datasets.register_files([tmp_path / "rows.csv", tmp_path / "rows.parquet"], **TERMS)
    assert (both.row_count, both.number) == (6, 4)


def test_a_piece_of_other_kinds_registers_nothing(gateway, steward, tmp_path, pieces_of_two):
    (tmp_path / "rows.csv").write_text("pseudonym,radius\np,1\nq,2\nr,large\n")
    gateway.calls.clear()
    with pytest.raises(InputRejected) as caught:
        steward.datasets.register_csv(tmp_path / "rows.csv", **TERMS)
    assert caught.value.code == "SCHEMA_DIFFERS"
    assert gateway.calls == []


def test_a_row_without_consent_in_a_later_piece_registers_nothing(gateway, steward, tmp_path, pieces_of_two):
    ROWS.assign(pseudonym=["p", "q", "stranger"]).to_parquet(tmp_path / "rows.parquet")
    gateway.calls.clear()
    with pytest.raises(FrameRejected):
        steward.datasets.register_parquet(tmp_path / "rows.parquet", **TERMS)
    assert gateway.calls == []


def test_a_file_that_is_no_table_is_refused(steward, tmp_path):
    (tmp_path / "rows").write_bytes(b"\xff\xfe\x00")
    for register in (steward.datasets.register_csv, steward.datasets.register_parquet):
        with pytest.raises(InputRejected) as caught:
            register(tmp_path / "rows", **TERMS)
        assert caught.value.code == "FILE_UNREADABLE"
    (tmp_path / "long.csv").write_text("pseudonym,radius\np,1,secret\n")
    with pytest.raises(InputRejected) as caught:
        steward.datasets.register_csv(tmp_path / "long.csv", **TERMS)
    assert caught.value.code == "FILE_UNREADABLE"


@pytest.mark.parametrize("name", ["kept.csv", "kept.parquet"])
def test_pieces_that_are_written_are_one_file(tmp_path, name):
    path = tmp_path / name
    assert write_frames(path, [ROWS.head(2), ROWS.tail(1)]) == 3
    (read,) = read_frames(path)
    assert read.astype(ROWS.dtypes).equals(ROWS)
    assert [place.name for place in tmp_path.iterdir()] == [name]


def test_a_file_is_there_once_it_is_whole(tmp_path):
    def broken():
        yield ROWS
        raise RuntimeError("the ledger is gone")

    with pytest.raises(RuntimeError):
        write_frames(tmp_path / "kept.csv", broken())
    with pytest.raises(InputRejected) as caught:
        write_frames(tmp_path / "kept.parquet", [ROWS, ROWS.assign(radius="large")])
    assert caught.value.code == "SCHEMA_DIFFERS"
    with pytest.raises(InputRejected) as caught:
        write_frames(tmp_path / "missing" / "kept.csv", [ROWS])
    assert caught.value.code == "FILE_UNWRITABLE"
    assert list(tmp_path.iterdir()) == []
