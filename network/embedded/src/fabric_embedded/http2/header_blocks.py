"""Header blocks of gRPC (RFC 7541): reading requests' and answers', writing the few that we send."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from hpack import Decoder, HPACKError

from fabric_embedded.http2.frames import ConnectionFault, ErrorCode

LARGEST_LIST: Final = 16 * 1024
Headers = dict[str, str]
_STATUS_200: Final = b"\x88"
_CONTENT_TYPE: Final = b"\x0f\x10"
_GRPC: Final = b"application/grpc"
_MOST_KNOWN: Final = 256
_LONGEST_MESSAGE: Final = 4096


class HeaderReader:
    """Decodes one connection's header blocks.

    Clients send the same headers again and again. A block that consists of references alone changes nothing,
    so that it means the same as before while the table of what is referred to stays as it is.
    """

    def __init__(self) -> None:
        self._decoder = Decoder(max_header_list_size=LARGEST_LIST)
        self._known: dict[bytes, Headers] = {}

    def read(self, block: bytes) -> Headers:
        """The headers of a block; of one that comes twice the last. Not to be changed.

        Raises:
            ConnectionFault: it cannot be decoded, or is too long.
        """
        known = self._known.get(block)
        if known is not None:
            return known
        try:
            headers = {str(name): str(value) for name, value in self._decoder.decode(block)}
        except (HPACKError, UnicodeDecodeError, IndexError, ValueError) as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "headers that cannot be decoded") from error
        if _is_references(block) and len(self._known) < _MOST_KNOWN:
            self._known[block] = headers
        elif self._known:
            self._known.clear()
        return headers


def _is_references(block: bytes) -> bool:
    """Whether a block holds indexed fields of one byte each and nothing else (§6.1)."""
    return bool(block) and min(block) >= 0x80 and max(block) < 0xFF


def _length(size: int) -> bytes:
    """The length of a text that is not Huffman-coded (§5.1, §5.2)."""
    if size < 0x7F:
        return bytes((size,))
    encoded, size = bytearray((0x7F,)), size - 0x7F
    while size >= 0x80:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def _literal(name: str, value: bytes) -> bytes:
    """A field that enters nobody's table (§6.2.2)."""
    return b"\x00" + _length(len(name)) + name.encode("ascii") + _length(len(value)) + value


RESPONSE: Final = _STATUS_200 + _CONTENT_TYPE + _length(len(_GRPC)) + _GRPC
"""What begins every answer of a server."""


@lru_cache(maxsize=64)
def trailers(status: int, message: str = "") -> bytes:
    """The end of a call: gRPC's status code, and its message in gRPC's percent-encoding."""
    block = _literal("grpc-status", b"%d" % status)
    if message:
        text = quote(message[:_LONGEST_MESSAGE], safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")
        block += _literal("grpc-message", text.encode("ascii"))
    return block


def metadata(fields: Iterable[tuple[str, bytes]]) -> bytes:
    """Further trailers; names that end in -bin carry any bytes."""
    return b"".join(_literal(name, _value(name, value)) for name, value in fields)


def _value(name: str, value: bytes) -> bytes:
    return base64.b64encode(value).rstrip(b"=") if name.endswith("-bin") else value


def request(path: str, authority: str, scheme: str) -> bytes:
    """The headers of a gRPC call that we make."""
    fields = (
        (":method", "POST"),
        (":scheme", scheme),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "consentry"),
    )
    return b"".join(_literal(name, value.encode()) for name, value in fields)
