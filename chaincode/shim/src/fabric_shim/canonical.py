"""One JSON text for one value: what contracts return and what errors look like on the wire.

RFC 8785 without numbers that are not integers: endorsers compare results byte for byte, so floats, integers
that other languages cannot hold and keys that are not strings are refused instead of rounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SAFE_INTEGER = 2**53 - 1
"""Largest magnitude that every JSON reader holds exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2)."""

MAXIMUM_DEPTH = 64
"""Most levels of lists and objects, in arguments too: how deep parsers go differs between Python versions."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)


def encode(value: Any) -> bytes:
    """Canonical JSON of ``value`` in UTF-8.

    Args:
        value: ``None``, ``bool``, ``int`` within ±(2^53−1), ``str``, lists, tuples, mappings with string
            keys, and objects with a ``to_dict`` method.

    Raises:
        TypeError: a float, a set, bytes, a key that is not a string, or another type without JSON form.
        ValueError: an integer that is too large, text that is not Unicode, or nesting over 64 levels.
    """
    try:
        return _encoder.encode(_plain(value, 0)).encode()
    except UnicodeEncodeError:
        raise ValueError("got text with a lone surrogate, expected Unicode text") from None


def _plain(value: Any, depth: int) -> Any:
    if value is None or value is True or value is False or type(value) is str:
        return value
    if depth > MAXIMUM_DEPTH:
        raise ValueError(f"got a value nested over {MAXIMUM_DEPTH} levels, expected fewer")
    if isinstance(value, int):
        if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            raise ValueError("got an integer beyond ±(2^53-1), expected a smaller one or a string")
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return _sorted(value, depth)
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict(), depth + 1)
    raise TypeError(f"got a {type(value).__name__}, expected a value with a canonical JSON form")


def _sorted(mapping: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    for key in mapping:
        if not isinstance(key, str):
            raise TypeError(f"got a key of type {type(key).__name__}, expected str")
    # RFC 8785 §3.2.3 sorts by UTF-16 code units, which is code point order unless a key is not ASCII.
    order = sorted(mapping, key=_utf16) if not all(map(str.isascii, mapping)) else sorted(mapping)
    return {str(key): _plain(mapping[key], depth + 1) for key in order}


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")
