"""Canonical JSON (RFC 8785) of values without floats: the bytes that are stored, hashed and compared.

Floats are refused although RFC 8785 allows them: endorsers must agree on every byte, and a metric is a
decimal string.
"""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from .errors import LedgerError, describe

MAXIMUM_DEPTH = 16
_LARGEST_INTEGER = 2**53 - 1


def encode(value: object) -> bytes:
    """Canonical JSON as UTF-8.

    Takes str, int within ±(2^53 − 1), bool, None, list, tuple and dict with string keys, at most 16 deep.
    Raises LedgerError VALUE_NOT_ENCODABLE for anything else.
    """
    _check(value, MAXIMUM_DEPTH)
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise LedgerError("VALUE_NOT_ENCODABLE", {"got": "text that is not Unicode"}) from error


def decode(data: bytes | str) -> Any:
    """The value of one JSON document.

    Raises LedgerError JSON_INVALID for bytes that are not UTF-8, broken JSON, floats, NaN, numbers beyond 53
    bits, a name given twice in one object, unpaired surrogates, and nesting deeper than 16.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(text, parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_object)
        _check(value, MAXIMUM_DEPTH)
    except (ValueError, RecursionError, LedgerError) as error:
        raise LedgerError("JSON_INVALID", {"got": f"{len(data)} characters that are not"}) from error
    return value


def _check(value: object, depth: int) -> None:
    if depth == 0:
        raise LedgerError("VALUE_NOT_ENCODABLE", {"got": f"nesting deeper than {MAXIMUM_DEPTH}"})
    match value:
        case None | bool():
            return
        case str():
            if not value.isascii():
                _check_unicode(value)
        case int() if -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            return
        case list() | tuple():
            for item in value:
                if depth == 1 or not _is_plain(item):
                    _check(item, depth - 1)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise LedgerError("VALUE_NOT_ENCODABLE", {"got": "an object whose name is not text"})
                if not key.isascii():
                    _check_unicode(key)
                if depth == 1 or not _is_plain(item):
                    _check(item, depth - 1)
        case _:
            raise LedgerError("VALUE_NOT_ENCODABLE", {"got": describe(value)})


def _is_plain(value: object) -> bool:
    """Whether a value is what most are, ASCII text, so that nothing else is to be asked."""
    return type(value) is str and value.isascii()


def _check_unicode(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise LedgerError("VALUE_NOT_ENCODABLE", {"got": "text that is not Unicode"})


def _refuse(literal: str) -> None:
    raise ValueError("floating-point number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("doubled name")
    return result
