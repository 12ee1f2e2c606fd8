"""One HTTP/2 connection: frames in and out, settings, flow control, and the streams that they belong to.

Only what gRPC uses. Whatever one side may not do ends the connection, or is passed over where RFC 9113
says so. What is written in one turn of the event loop goes out together.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, cast

from fabric_embedded.http2 import frames
from fabric_embedded.http2.frames import ConnectionFault, ErrorCode, Setting
from fabric_embedded.http2.header_blocks import LARGEST_LIST, HeaderReader, Headers
from fabric_embedded.http2.stream import Stream

_LARGEST_FRAME: Final = 2**20
_RECEIVE_WINDOW: Final = 8 * 2**20
_LONGEST_BLOCK: Final = 2 * LARGEST_LIST
_LEAST_PING_SECONDS: Final = 60.0
_MOST_STRIKES: Final = 2
_SETTINGS_SECONDS: Final = 10.0
_MOST_SETTINGS: Final = 100
_WRITE_BUFFER_BYTES: Final = 2**20


class Connection(asyncio.Protocol):
    """What client and server have in common; see `server` and `client`.

    Attributes:
        streams: that are open, by number.
        blocked: those of them that wait for the connection: for its window, or for the transport.
        window: bytes of data that may be sent on all streams together.
        initial_window: of new streams.
        frame_bytes: the largest payload that the other side takes.
        is_paused: whether the transport has enough to send.
        strikes: pings that came too soon since data was sent; gRPC measures its windows by pings.
    """

    preface = b""
    """What the other side has to send first."""

    counts_pings = False
    """Whether pings that come too soon end the connection: a server's matter, for servers measure by them."""

    received_frame_bytes = 65_536
    """The largest payload of a frame that this side takes."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self.blocked: dict[int, Stream] = {}
        self.window = self.initial_window = frames.DEFAULT_WINDOW
        self.frame_bytes = frames.DEFAULT_FRAME
        self.is_paused = False
        self.last_stream = 0
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reader = HeaderReader()
        self._begun: list[bytes] = []
        self._missing = 0
        self._out: list[bytes] = []
        self._received = 0
        self._block: tuple[int, int, bytearray] | None = None
        self._awaited = self.preface
        self._pinged_at = 0.0
        self._settings_since = 0.0
        self._settings_count = 0
        self.strikes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what we take."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
        self.write(self.opening())
        self.write(frames.window_update(0, _RECEIVE_WINDOW - frames.DEFAULT_WINDOW))

    def opening(self) -> bytes:
        """The first frames that this side sends."""
        return frames.settings_frame(self.settings())

    def settings(self) -> dict[int, int]:
        """What this side tells of itself."""
        return {Setting.MAX_FRAME_SIZE: self.received_frame_bytes, Setting.MAX_HEADER_LIST_SIZE: LARGEST_LIST}

    def opened(self, number: int, headers: Headers) -> Stream | None:
        """A stream that the other side begins; None where it is refused."""
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a stream that nobody asked for")

    def connection_lost(self, exc: Exception | None) -> None:
        """Every stream has ended."""
        self._transport = None
        self._out.clear()
        for stream in list(self.streams.values()):
            stream.on_reset()

    def pause_writing(self) -> None:
        """Read nothing either: answers to what a side sends that reads nothing would pile up."""
        self.is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self.is_paused = False
        if self._transport is not None:
            self._transport.resume_reading()
        self._pump_all()

    def data_received(self, data: bytes) -> None:
        """Take frames; what is left of one waits for the rest."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._begun:
            # A frame of a megabyte comes in dozens of parts: they are put together once.
            self._begun.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._begun)
            self._begun.clear()
        try:
            if self._awaited:
                data = self._without_preface(data)
            position = self._take_frames(data)
        except ConnectionFault as fault:
            self.close(fault.code, fault.reason)
            return
        if position < len(data):
            rest = data[position:]
            self._begun.append(rest)
            self._missing = frames.size_of(rest) - len(rest)

    def write(self, data: bytes) -> None:
        """Send in this turn of the event loop, together with what else there is."""
        if not self._out:
            self._loop.call_soon(self.flush)
        self._out.append(data)

    def flush(self) -> None:
        """Send what was written so far."""
        if self._out and self._transport is not None:
            data, self._out = b"".join(self._out), []
            self._transport.write(data)
        else:
            self._out.clear()

    def close(self, code: ErrorCode = ErrorCode.NO_ERROR, reason: str = "") -> None:
        """Say why, and hang up."""
        transport = self._transport
        if transport is not None:
            self.write(frames.goaway(self.last_stream, code, reason))
            self.flush()
            transport.close()
            self._awaited = b""
            self._begun.clear()

    def forget(self, stream: Stream) -> None:
        """A stream has ended."""
        self.streams.pop(stream.number, None)
        self.blocked.pop(stream.number, None)

    def _without_preface(self, data: bytes) -> bytes:
        size = min(len(self._awaited), len(data))
        if data[:size] != self._awaited[:size]:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no HTTP/2 preface")
        self._awaited = self._awaited[size:]
        return data[size:]

    def _take_frames(self, data: bytes) -> int:
        """Take whole frames; where the rest begins."""
        position, end = 0, len(data)
        if self._awaited:
            return end
        while end - position >= frames.HEAD_BYTES:
            high, low, kind, flags, number = frames.HEAD.unpack_from(data, position)
            length = high << 8 | low
            if length > self.received_frame_bytes:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame larger than was agreed on")
            start = position + frames.HEAD_BYTES
            if end - start < length:
                break
            position = start + length
            self._take(kind, flags, number & frames.LARGEST_WINDOW, data[start:position])
            if self._transport is None or self._transport.is_closing():
                return end
        return position

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if self._block is not None and (kind != frames.CONTINUATION or number != self._block[0]):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a frame between those of a header block")
        if kind == frames.DATA:
            self._take_data(flags, number, payload)
        elif kind == frames.HEADERS:
            content = frames.without_padding(flags, payload)
            self._take_block(number, flags, bytearray(content))
        elif kind == frames.WINDOW_UPDATE:
            self._take_window(number, frames.read_number(payload))
        elif kind == frames.RST_STREAM:
            self._take_reset(number, frames.read_number(payload))
        elif kind == frames.PING:
            self._take_ping(flags, payload)
        elif kind == frames.SETTINGS:
            self._take_settings(flags, payload)
        elif kind == frames.CONTINUATION:
            self._take_continuation(flags, payload)
        elif kind == frames.PUSH_PROMISE:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a push")
        elif kind == frames.GOAWAY:
            self.leaving()

    def leaving(self) -> None:
        """The other side begins no stream any more; those that there are go on."""

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        self._received += len(payload)
        if self._received >= _RECEIVE_WINDOW // 2:
            self.write(frames.window_update(0, self._received))
            self._received = 0
        stream = self.streams.get(number)
        if stream is None:
            # Sent before the other side knew that the stream has ended.
            if number > self.last_stream or not number:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "data of a stream that was never opened")
            return
        if flags & frames.PADDED:
            content = frames.without_padding(flags & frames.PADDED, payload)
            stream.messages.pass_over(len(payload) - len(content))
            payload = content
        stream.messages.feed(payload, bool(flags & frames.END_STREAM))

    def _take_block(self, number: int, flags: int, block: bytearray) -> None:
        if len(block) > _LONGEST_BLOCK:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "headers beyond the limit")
        if not flags & frames.END_HEADERS:
            self._block = (number, flags, block)
            return
        self._block = None
        headers = self._reader.read(bytes(block))
        stream = self.streams.get(number)
        if stream is None and number > self.last_stream:
            self.last_stream = number
            stream = self.opened(number, headers)
        if stream is not None:
            stream.on_headers(headers, bool(flags & frames.END_STREAM))

    def _take_continuation(self, flags: int, payload: bytes) -> None:
        if self._block is None:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a continuation of nothing")
        number, first_flags, block = self._block
        if not payload and not flags & frames.END_HEADERS:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "an empty continuation")
        self._take_block(number, first_flags | flags & frames.END_HEADERS, block + payload)

    def _take_window(self, number: int, size: int) -> None:
        stream = self.streams.get(number)
        if not number:
            self.window += size
            if not size or self.window > frames.LARGEST_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window out of range")
            self._pump_all()
        elif stream is not None:
            stream.window += size
            if not size or stream.window > frames.LARGEST_WINDOW:
                stream.reset(ErrorCode.FLOW_CONTROL_ERROR)
                stream.on_reset()
            else:
                stream.pump()
        elif number > self.last_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a window of a stream that was never opened")

    def _take_reset(self, number: int, _code: int) -> None:
        stream = self.streams.get(number)
        if stream is not None:
            stream.on_reset()
        elif number > self.last_stream or not number:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a reset of a stream that was never opened")

    def _take_ping(self, flags: int, payload: bytes) -> None:
        if len(payload) != 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a ping of another length than 8")
        if flags & frames.ACK:
            return
        self.write(frames.frame(frames.PING, frames.ACK, 0, payload))
        if not self.counts_pings:
            return
        # As a Fabric peer: clients may ask once a minute whether the connection still stands.
        now = time.monotonic()
        if now - self._pinged_at < _LEAST_PING_SECONDS:
            self.strikes += 1
            if self.strikes > _MOST_STRIKES:
                raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings")
        self._pinged_at = now

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            return
        self._count_settings()
        settings = dict(frames.read_settings(payload))
        self.frame_bytes = min(settings.get(Setting.MAX_FRAME_SIZE, self.frame_bytes), _LARGEST_FRAME)
        initial = settings.get(Setting.INITIAL_WINDOW_SIZE, self.initial_window)
        change, self.initial_window = initial - self.initial_window, initial
        self.write(frames.frame(frames.SETTINGS, frames.ACK, 0))
        for stream in list(self.streams.values()) if change else ():
            stream.window += change
            stream.pump()

    def _count_settings(self) -> None:
        """Each may touch every stream: few bytes would make much work."""
        now = time.monotonic()
        if now - self._settings_since > _SETTINGS_SECONDS:
            self._settings_since, self._settings_count = now, 0
        self._settings_count += 1
        if self._settings_count > _MOST_SETTINGS:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too_many_settings")

    def _pump_all(self) -> None:
        while self.blocked and self.window > 0 and not self.is_paused:
            self.blocked.pop(next(iter(self.blocked))).pump()
