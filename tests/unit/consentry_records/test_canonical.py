"""Canonical JSON without floats."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consentry_records import LedgerError
from consentry_records.canonical import decode, encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_encoding_is_rfc_8785_and_goes_back(value: Any) -> None:
    assert encode(value) == rfc8785.dumps(value)
    assert decode(encode(value)) == value


def test_the_example_of_the_rfc_without_floats() -> None:
    # RFC 8785 §3.2.3: sorting by UTF-16 code units.
    document = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew",
        "1": "One",
        "\U0001f600": "Emoji",
    }
    assert [json.loads(f'"{name}"', strict=False) for name in decode(encode(document))] == [
        "\r",
        "1",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        {1: 2},
        {"a": {None: 1}},
        b"bytes",
        {1, 2},
        object(),
        "\ud800",
        deep(16),
    ],
)
def test_what_endorsers_could_disagree_on_is_refused(value: Any) -> None:
    with pytest.raises(LedgerError) as caught:
        encode(value)
    assert caught.value.code == "VALUE_NOT_ENCODABLE"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.0",
        "1e2",
        "Infinity",
        "9007199254740992",
        '{"a":1,"a":1}',
        "[1,]",
        '"\\ud800"',
        "[" * 20 + "]" * 20,
        "{} {}",
    ],
)
def test_documents_that_are_refused(text: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(LedgerError) as caught:
            decode(data)
        assert caught.value.code == "JSON_INVALID"


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except LedgerError as error:
        value = {"refused": error.code}
    assert decode(encode(value)) == value
    assert value == {"refused": "JSON_INVALID"} or json.loads(data) == value
