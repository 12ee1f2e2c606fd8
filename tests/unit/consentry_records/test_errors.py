"""The catalogue of errors and their form on the wire."""

from __future__ import annotations

import re
import string

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consentry_records import LedgerError, from_wire, to_wire
from consentry_records.canonical import decode
from consentry_records.error_catalogue import CATALOGUE

EVERY_CODE = pytest.mark.parametrize("code", sorted(CATALOGUE))


def fields_of(code: str) -> dict[str, str | int]:
    return {name: "x" for _, name, _, _ in string.Formatter().parse(CATALOGUE[code].words) if name}


@EVERY_CODE
def test_every_code_has_words_and_goes_over_the_wire(code: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", code)
    assert CATALOGUE[code].words.isascii()
    error = LedgerError(code, fields_of(code))
    back = from_wire(to_wire(error))
    assert back is not None
    assert (back.code, dict(back.fields), back.message) == (code, dict(error.fields), error.message)
    assert to_wire(error).encode() == rfc8785.dumps(decode(to_wire(error)))
    assert error.status in (400, 403, 404, 409)


def test_fabrics_words_before_the_message_do_not_matter() -> None:
    text = (
        "chaincode response 404, " + to_wire(LedgerError("GRANT_NOT_FOUND", {"grant_id": "g"})) + " (peer1)"
    )
    found = from_wire(text)
    assert found is not None
    assert (found.code, found.status) == ("GRANT_NOT_FOUND", 404)


def test_codes_of_others_are_kept() -> None:
    found = from_wire('{"code":"INTERNAL_ERROR","fields":{},"message":"it broke"}')
    assert found is not None
    assert (found.code, found.message, found.status) == ("INTERNAL_ERROR", "it broke", 400)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no brace",
        "{",
        "{}",
        '{"code":1,"fields":{},"message":"m"}',
        '{"code":"C","fields":[],"message":"m"}',
        '{"code":"C","fields":{"a":[]},"message":"m"}',
        '{"code":"C","fields":{},"message":"m","more":1}',
        "{" * 100_000,
    ],
)
def test_other_texts_are_no_refusals(text: str) -> None:
    assert from_wire(text) is None


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    assert from_wire(text) is None or "{" in text


def test_a_code_without_words_or_fields_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="catalogue"):
        LedgerError("NO_SUCH_CODE")
    with pytest.raises(ValueError, match="consent_id"):
        LedgerError("CONSENT_NOT_FOUND")
