"""The little of DER that `cryptography` does not offer: reading signatures as Go does, rewriting
certificates.

Source: X.690 §8, §10; Go's `encoding/asn1`, whose leniency (bytes after the expected fields) decides what
Fabric accepts.
"""

from typing import Final

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_LONG_FORM: Final = 0x80


class DerError(ValueError):
    """Bytes that are not the DER expected; the text says why."""


def read_element(data: bytes, tag: int) -> tuple[bytes, bytes, bytes]:
    """Read one element of a given tag.

    Returns:
        its content, the whole element, and the bytes that follow it.

    Raises:
        DerError: another tag, a length that is not minimal, or too few bytes.
    """
    if len(data) < 2 or data[0] != tag:
        raise DerError(f"expected tag {tag:#04x}")
    length, start = data[1], 2
    if length & _LONG_FORM:
        size = length & ~_LONG_FORM
        start += size
        if not 1 <= size <= 4 or len(data) < start:
            raise DerError("length of an unsupported form")
        length = int.from_bytes(data[2:start], "big")
        if length < _LONG_FORM or data[2] == 0:
            raise DerError("length is not minimal")
    end = start + length
    if len(data) < end:
        raise DerError("fewer bytes than the length says")
    return data[start:end], data[:end], data[end:]


def element(tag: int, content: bytes) -> bytes:
    """Write one element with a minimal length."""
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(size))) + size + content


def read_integer_pair(data: bytes) -> tuple[int, int]:
    """Read `SEQUENCE{INTEGER, INTEGER, …}`, ignoring what follows inside and after it, as Go does.

    Raises:
        DerError: it does not start so.
    """
    content, _, _ = read_element(data, _SEQUENCE)
    first, _, rest = read_element(content, _INTEGER)
    second, _, _ = read_element(rest, _INTEGER)
    return _integer(first), _integer(second)


def _integer(content: bytes) -> int:
    if not content:
        raise DerError("empty integer")
    if len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1)):
        raise DerError("integer is not minimal")
    return int.from_bytes(content, "big", signed=True)


def replace_signature(certificate: bytes, signature: bytes) -> bytes:
    """A certificate's DER with another signature in its place.

    Raises:
        DerError: not `SEQUENCE{tbsCertificate, signatureAlgorithm, signature}`.
    """
    content, _, _ = read_element(certificate, _SEQUENCE)
    _, to_be_signed, rest = read_element(content, _SEQUENCE)
    _, algorithm, rest = read_element(rest, _SEQUENCE)
    read_element(rest, _BIT_STRING)
    no_unused_bits = b"\x00"
    return element(_SEQUENCE, to_be_signed + algorithm + element(_BIT_STRING, no_unused_bits + signature))
