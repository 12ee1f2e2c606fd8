"""Protobuf's wire format written by hand, for the few messages of which a transaction has thousands.

An object a message takes ten times as long as its bytes. Fields are left out where they have their default,
and are to come in the order of their numbers: the bytes are those of `SerializeToString(deterministic=True)`.

Source: protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fabric_protocol.state import Version

_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(0x80))
_TWO_BYTES: Final = tuple(
    bytes((number & 0x7F | 0x80, number >> 7)) if number >= 0x80 else _ONE_BYTE[number]
    for number in range(0x4000)
)


def varint(number: int) -> bytes:
    """A whole number of 0 or more, seven bits a byte, the lowest first."""
    if number < 0x4000:
        return _TWO_BYTES[number]
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def submessage(number: int, content: bytes) -> bytes:
    """A field, 1 to 15, that holds a message, which may be empty."""
    return b"".join((_ONE_BYTE[number << 3 | 2], varint(len(content)), content))


def bytes_field(number: int, content: bytes) -> bytes:
    """A field, 1 to 15, of bytes or text (UTF-8); nothing where it is empty."""
    return submessage(number, content) if content else b""


def nested(number: int, parts: Sequence[bytes]) -> list[bytes]:
    """As `submessage`, in parts to be joined at the end: what is large is not copied at each level."""
    return [_ONE_BYTE[number << 3 | 2], varint(sum(map(len, parts))), *parts]


def number_field(number: int, value: int) -> bytes:
    """A field, 1 to 15, of an integer of 0 or more, a boolean or a choice; nothing for 0."""
    return _ONE_BYTE[number << 3] + varint(value) if value else b""


def repeated(number: int, messages: Iterable[bytes]) -> bytes:
    """A field, 1 to 15, of many messages."""
    tag = _ONE_BYTE[number << 3 | 2]
    return b"".join([part for message in messages for part in (tag, varint(len(message)), message)])


def version_message(version: Version) -> bytes:
    """M(kvrwset.Version)."""
    return number_field(1, version.block) + number_field(2, version.transaction)
