"""Fabric's key rules, applied by every chaincode runtime before it asks the peer (fabric-behaviour §4.5)."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_shim.errors import ContractError, KeyInvalidError

_SEPARATOR = "\x00"
_LAST = "\U0010ffff"


def check_text(value: str, what: str) -> str:
    """Return ``value`` if it is Unicode text that can be sent.

    Raises:
        KeyInvalidError: it is not ``str`` or holds a lone surrogate.
    """
    if not isinstance(value, str):
        raise KeyInvalidError(f"got a {what} of type {type(value).__name__}, expected str")
    # ASCII, by far the usual case, is known to be encodable without encoding it.
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise KeyInvalidError(f"got a {what} with a lone surrogate, expected Unicode text") from None
    return value


def check_written_key(key: str) -> str:
    """Return ``key`` if it can be written: Unicode text, not empty."""
    if not check_text(key, "key"):
        raise KeyInvalidError("got an empty key, expected at least one character")
    return key


def check_texts(keys: Sequence[str]) -> Sequence[str]:
    """Return ``keys`` if it is a sequence of keys that can be read."""
    if isinstance(keys, str):
        raise KeyInvalidError("got one str for several keys, expected a sequence of str")
    for key in keys:
        check_text(key, "key")
    return keys


def check_value(value: bytes) -> bytes:
    """Return ``value`` if it can be stored.

    Raises:
        ContractError: ``VALUE_INVALID``, it is not ``bytes``; ``VALUE_EMPTY``, Fabric would delete the key.
    """
    if not isinstance(value, bytes):
        raise ContractError("VALUE_INVALID", f"got a value of type {type(value).__name__}, expected bytes")
    if not value:
        raise ContractError("VALUE_EMPTY", "got an empty value, which Fabric takes for a deletion")
    return value


def create_composite_key(object_type: str, attributes: Sequence[str]) -> str:
    """``U+0000`` type ``U+0000`` attribute ``U+0000`` …

    Raises:
        KeyInvalidError: a part is not text, or contains U+0000 or U+10FFFF.
    """
    if isinstance(attributes, str):
        raise KeyInvalidError("got one str for the attributes of a composite key, expected a sequence of str")
    parts = [object_type, *attributes]
    for part in parts:
        check_text(part, "part of a composite key")
        if _SEPARATOR in part or _LAST in part:
            raise KeyInvalidError("a part of a composite key contains U+0000 or U+10FFFF; leave them out")
    return _SEPARATOR + "".join(part + _SEPARATOR for part in parts)


def split_composite_key(key: str) -> tuple[str, list[str]]:
    """Object type and attributes of a key made by ``create_composite_key``.

    Raises:
        KeyInvalidError: the key is no composite key.
    """
    check_text(key, "composite key")
    if len(key) < 2 or not key.startswith(_SEPARATOR) or not key.endswith(_SEPARATOR):
        raise KeyInvalidError(
            "got a simple key, expected a composite key (U+0000 type U+0000 attribute … U+0000)"
        )
    object_type, *attributes = key[1:-1].split(_SEPARATOR)
    return object_type, attributes


def partial_composite_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    """Start and end of the range that holds every composite key with these first parts."""
    prefix = create_composite_key(object_type, attributes)
    return prefix, prefix + _LAST


def simple_range(start: str, end: str) -> tuple[str, str]:
    """Start and end as sent to the peer; an empty start skips the composite keys.

    Raises:
        KeyInvalidError: a bound is not text or lies in the composite keys' space.
    """
    for bound in (start, end):
        if check_text(bound, "bound of a range").startswith(_SEPARATOR):
            raise KeyInvalidError(
                "a range of simple keys starts with U+0000; use get_by_partial_composite_key"
            )
    return start or "\x01", end
