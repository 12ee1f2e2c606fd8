"""Digests of code, environment and descriptions; metrics as decimal text."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry.errors import InputRejected
from consentry.provenance import code_digest, description_digest, environment_digest, metric_texts
from consentry_records.digest import sha256_digest
from consentry_records.kinds import DECIMAL


def test_code_is_the_files_bytes(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(b"print()\n")
    assert code_digest(path) == sha256_digest(b"print()\n")
    with pytest.raises(InputRejected) as caught:
        code_digest(tmp_path / "missing.py")
    assert caught.value.code == "CODE_UNREADABLE"


def test_the_running_program_is_the_default() -> None:
    assert code_digest().startswith("sha256:")


def test_the_environment_is_the_same_within_a_process() -> None:
    assert environment_digest() == environment_digest()


def test_descriptions_are_canonical_json_with_floats_as_text() -> None:
    expected = sha256_digest(b'{"layers":[1,2],"rate":"0.1"}')
    assert description_digest({"rate": 0.1, "layers": (1, np.int64(2))}) == expected
    assert description_digest({"layers": [1, 2], "rate": np.float64(0.1)}) == expected


@pytest.mark.parametrize("description", [{"x": object()}, {1: "x"}, {"x": b"bytes"}, {"x": {1, 2}}])
def test_descriptions_of_other_things_are_refused(description: dict[str, object]) -> None:
    with pytest.raises(InputRejected) as caught:
        description_digest(description)
    assert caught.value.code == "VALUE_NOT_ENCODABLE"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9649, "0.9649"),
        (1, "1"),
        (np.float32(0.5), "0.5"),
        (np.float64(1e-7), "0.0000001"),
        (1e-20, "0"),
        (-0.0, "0"),
        ("0.50", "0.5"),
        (Decimal("1.10"), "1.1"),
        (100.0, "100"),
        (123456789012345, "123456789012345"),
    ],
)
def test_metrics_are_decimal_text(value: float, text: str) -> None:
    assert metric_texts({"m": value}) == {"m": text}


@given(st.floats(-1e14, 1e14))
def test_every_metric_is_one_that_the_ledger_takes(value: float) -> None:
    text = metric_texts({"m": value})["m"]
    assert DECIMAL.read(text) == text
    assert abs(float(text) - value) <= 1e-15 + abs(value) * 1e-15


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "good", True, None, 1e15, [1]])
def test_other_metrics_are_refused(value: object) -> None:
    with pytest.raises(InputRejected) as caught:
        metric_texts({"m": value})  # type: ignore[dict-item]
    assert caught.value.code == "METRIC_INVALID"
