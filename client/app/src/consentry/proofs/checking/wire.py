"""Protobuf messages and DER, read and written without generated code.

A message is read as {field number: values in order}. Only the canonical encoding is read: fields in ascending
order, shortest varints, nothing but varints and byte strings. So bytes have one reading, and no transaction
can be cut out of two others (CVE-2023-46132).

Sources: protobuf's encoding; Fabric ``protoutil/blockutils.go · BlockHeaderBytes``.
"""

from typing import Any

from .refusal import ProofRefused, expect

Fields = dict[int, list[Any]]
"""Field number → values: whole numbers, or bytes."""

_VARINT, _BYTES = 0, 2
_LARGEST = 2**64


def read_fields(data: bytes) -> Fields:
    """Read one message.

    Raises:
        ProofRefused: ENCODING.
    """
    found: Fields = {}
    position, last = 0, 1
    while position < len(data):
        tag, position = _read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        expect(number >= last, "ENCODING", "the fields of a message are out of order")
        expect(kind in (_VARINT, _BYTES), "ENCODING", "a message holds a field of an unknown kind")
        value: int | bytes
        value, position = _read_varint(data, position)
        if kind == _BYTES:
            end = position + value
            value, position = data[position:end], end
            expect(position <= len(data), "ENCODING", "a message is cut off")
        found.setdefault(number, []).append(value)
        last = number
    return found


def one(fields: Fields, number: int) -> bytes:
    """The bytes of a field that occurs once at most; empty where it is missing.

    Raises:
        ProofRefused: ENCODING.
    """
    values = fields.get(number, [b""])
    expect(len(values) == 1 and isinstance(values[0], bytes), "ENCODING", f"field {number} is not one text")
    return bytes(values[0])


def one_number(fields: Fields, number: int) -> int:
    """The whole number in a field that occurs once at most; 0 where it is missing.

    Raises:
        ProofRefused: ENCODING.
    """
    values = fields.get(number, [0])
    expect(len(values) == 1 and isinstance(values[0], int), "ENCODING", f"field {number} is not one number")
    return int(values[0])


def one_text(fields: Fields, number: int) -> str:
    """The text in a field that occurs once at most; empty where it is missing.

    Raises:
        ProofRefused: ENCODING.
    """
    try:
        return one(fields, number).decode()
    except UnicodeDecodeError:
        raise ProofRefused("ENCODING", f"field {number} is not UTF-8") from None


def many(fields: Fields, number: int) -> list[bytes]:
    """The byte strings of a repeated field.

    Raises:
        ProofRefused: ENCODING.
    """
    values = fields.get(number, [])
    expect(all(isinstance(value, bytes) for value in values), "ENCODING", f"field {number} holds numbers")
    return values


def write_bytes(number: int, value: bytes) -> bytes:
    """One field with bytes."""
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def write_number(number: int, value: int) -> bytes:
    """One field with a whole number that is not negative."""
    return _varint(number << 3) + _varint(value)


def header_der(number: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """A block header as it is hashed and signed: a DER sequence of number, previous hash and data hash."""
    digits = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return _der(0x30, _der(0x02, digits) + _der(0x04, previous_hash) + _der(0x04, data_hash))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    expect(length < 256, "ENCODING", "a hash in a block header is too long")
    return bytes([tag, length] if length < 128 else [tag, 0x81, length]) + content


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        expect(position < len(data) and shift < 70, "ENCODING", "a message is cut off")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            shortest = (byte or shift == 7) and value < _LARGEST
            expect(shortest, "ENCODING", "a number is not in its shortest form")
            return value, position


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
