"""HTTP/2's frames as bytes (RFC 9113 §4 and §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from struct import Struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD: Final = Struct(">HBBBI")
"""Length (16 and 8 bits), kind, flags, stream."""

HEAD_BYTES: Final = 9
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = range(6)
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(6, 10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
DEFAULT_WINDOW: Final = 65_535
DEFAULT_FRAME: Final = 16_384
LARGEST_WINDOW: Final = 2**31 - 1
_SETTING: Final = Struct(">HI")
_NUMBER: Final = Struct(">I")
_PRIORITY_BYTES: Final = 5


class Setting(IntEnum):
    """What a side tells the other at the beginning (§6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (§7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class ConnectionFault(Exception):
    """The other side broke the protocol, so that nothing more can be understood of this connection.

    Parameters:
        code: why, as it is told.
        reason: for debugging on the other side.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{code.name}: {reason}")
        self.code = code
        self.reason = reason


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    length = len(payload)
    return HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def size_of(begun: bytes) -> int:
    """How long the frame that begins like this is, as far as can be told: its head at least."""
    if len(begun) < HEAD_BYTES:
        return HEAD_BYTES
    return HEAD_BYTES + int.from_bytes(begun[:3], "big")


def settings_frame(settings: Mapping[int, int]) -> bytes:
    """SETTINGS with these values."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(name, value) for name, value in settings.items()))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """The settings in a SETTINGS frame, unknown ones too.

    Raises:
        ConnectionFault: the length fits no settings, or a value is not allowed.
    """
    if len(payload) % _SETTING.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings of another length")
    for name, value in _SETTING.iter_unpack(payload):
        if name == Setting.INITIAL_WINDOW_SIZE and value > LARGEST_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "an initial window beyond 2^31-1")
        if name == Setting.MAX_FRAME_SIZE and not DEFAULT_FRAME <= value < 2**24:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a frame size out of range")
        yield name, value


def window_update(stream: int, size: int) -> bytes:
    """WINDOW_UPDATE: the other side may send so many bytes more."""
    return frame(WINDOW_UPDATE, 0, stream, _NUMBER.pack(size))


def reset(stream: int, code: ErrorCode) -> bytes:
    """RST_STREAM."""
    return frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def goaway(last: int, code: ErrorCode, reason: str = "") -> bytes:
    """GOAWAY: streams above `last` were not looked at."""
    return frame(GOAWAY, 0, 0, _NUMBER.pack(last) + _NUMBER.pack(code) + reason.encode())


def read_number(payload: bytes) -> int:
    """The 31 bits of WINDOW_UPDATE, or the code of RST_STREAM.

    Raises:
        ConnectionFault: the frame has another length.
    """
    if len(payload) != _NUMBER.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame of another length than 4")
    return int(_NUMBER.unpack(payload)[0]) & LARGEST_WINDOW


def without_padding(flags: int, payload: bytes) -> bytes:
    """The content of DATA or HEADERS: without padding and, of HEADERS, priority.

    `HAS_PRIORITY` must not be set in the flags of DATA.

    Raises:
        ConnectionFault: there is more padding than payload.
    """
    if flags & PADDED:
        if not payload or payload[0] >= len(payload):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "padding longer than its frame")
        payload = payload[1 : len(payload) - payload[0]]
    if flags & HAS_PRIORITY:
        if len(payload) < _PRIORITY_BYTES:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "headers shorter than their priority")
        payload = payload[_PRIORITY_BYTES:]
    return payload
