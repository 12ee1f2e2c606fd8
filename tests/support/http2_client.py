"""The other side of an HTTP/2 connection, frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from hpack import Decoder, Encoder

from fabric_embedded.http2 import frames
from fabric_embedded.http2.budget import Budget
from fabric_embedded.http2.frames import frame
from fabric_embedded.http2.server import Handler, ServerCall, ServerConnection

WHOLE = frames.END_HEADERS
LAST = frames.END_HEADERS | frames.END_STREAM
HEADERS = [(":method", "POST"), (":scheme", "http"), (":path", "/a/b"), ("content-type", "application/grpc")]


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False
        self.reading = True

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Client:
    """The other side of a connection, byte by byte."""

    def __init__(self, handler: Handler) -> None:
        self.transport = Transport()
        self.connection = ServerConnection(lambda _path: handler, Budget(), set())
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.send(frames.PREFACE + frames.settings_frame({}))

    def send(self, data: bytes) -> None:
        self.connection.data_received(data)

    def call(self, number: int, flags: int = WHOLE, headers: Any = HEADERS) -> None:
        self.send(frame(frames.HEADERS, flags, number, self.encoder.encode(headers)))

    async def received(self) -> list[tuple[int, int, int, bytes]]:
        """Frames that have come: kind, flags, stream, payload."""
        await turns()
        return list(_parsed(self.transport.written))

    async def answer(self, number: int) -> tuple[bytes, dict[str, str]]:
        """Data and headers of a stream."""
        data, headers = b"", {}
        for kind, _, stream, payload in await self.received():
            if kind == frames.DATA and stream == number:
                data += payload
            elif kind == frames.HEADERS:
                found = dict(Decoder().decode(payload))
                headers.update(found if stream == number else {})
        return data, headers

    async def fault(self) -> tuple[int, str] | None:
        """Code and reason of the end of the connection."""
        for kind, _, _, payload in await self.received():
            if kind == frames.GOAWAY:
                assert self.transport.closed
                return int.from_bytes(payload[4:8], "big"), payload[8:].decode()
        return None


async def turns() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def _parsed(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    while data:
        high, low, kind, flags, stream = frames.HEAD.unpack_from(data)
        end = frames.HEAD_BYTES + (high << 8 | low)
        yield kind, flags, stream, data[frames.HEAD_BYTES : end]
        data = data[end:]


def message(content: bytes) -> bytes:
    return b"\0" + len(content).to_bytes(4, "big") + content


async def echo(call: ServerCall) -> None:
    call.respond(bytes(await call.receive() or b""))


async def forever(call: ServerCall) -> None:
    await call.receive()
    await asyncio.Event().wait()
