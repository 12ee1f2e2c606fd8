"""One streaming call over a connection of its own, from the side that dials."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from fabric_embedded.http2 import frames, header_blocks
from fabric_embedded.http2.connection import Connection
from fabric_embedded.http2.frames import ErrorCode, Setting
from fabric_embedded.http2.header_blocks import Headers
from fabric_embedded.http2.messages import BROKEN_OFF, PREFIX_BYTES, MessageRefused
from fabric_embedded.http2.stream import Stream

_NUMBER: Final = 1
_WINDOW: Final = 4 * 2**20
# At HTTP/2's usual 16 KiB a batch of a megabyte is taken apart into sixty frames.
_FRAME_BYTES: Final = 2**20


class ClientCall(Stream):
    """A call that we make: messages both ways until either side ends it."""

    __slots__ = ()

    async def receive(self) -> bytes | bytearray | None:
        """The next message; None once the call has ended, however it did."""
        try:
            return await self.messages.receive()
        except MessageRefused:
            return None

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send messages, in one write as far as that is possible.

        Raises:
            ConnectionError: the call has ended.
        """
        parts: list[bytes] = []
        for message in messages:
            parts += (b"\0", len(message).to_bytes(PREFIX_BYTES - 1, "big"), message)
        if self._is_closed:
            raise ConnectionError("the stream has ended")
        self.post(b"".join(parts))
        if self._pending:
            await self.drained()

    def on_headers(self, headers: Headers, ended: bool) -> None:
        """An answer begins or ends; what is no gRPC is an end too."""
        if ended or headers.get(":status", "200") != "200":
            self.messages.end()

    def on_reset(self) -> None:
        """The other side is gone; what came is still received."""
        self.messages.fail(MessageRefused(BROKEN_OFF, "the stream was broken off"))
        self._is_closed = True
        self._pending.clear()
        self.connection.forget(self)
        self._wake()


class ClientConnection(Connection):
    """The connection of one call."""

    received_frame_bytes = _FRAME_BYTES

    def opening(self) -> bytes:
        """Preface and settings."""
        return frames.PREFACE + super().opening()

    def settings(self) -> dict[int, int]:
        """What this side tells of itself."""
        return {**super().settings(), Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: _WINDOW}

    def call(self, path: str, authority: str, scheme: str) -> ClientCall:
        """Begin the call."""
        block = header_blocks.request(path, authority, scheme)
        self.last_stream = _NUMBER
        stream = ClientCall(self, _NUMBER, None, _WINDOW)
        self.streams[_NUMBER] = stream
        self.write(frames.frame(frames.HEADERS, frames.END_HEADERS, _NUMBER, block))
        return stream

    def leaving(self) -> None:
        """The service goes away: the call is not worth waiting for."""
        self.close(ErrorCode.NO_ERROR)


async def dial(host: str, port: int, path: str, context: ssl.SSLContext | None) -> ClientCall:
    """Connect and begin a call.

    Parameters:
        host: where the service listens.
        port: likewise.
        path: "/service/method".
        context: TLS; None for plain text.

    Raises:
        OSError: nobody answers there, or not as the context wants it.
    """
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(ClientConnection, host, port, ssl=context)
    return connection.call(path, f"{host}:{port}", "http" if context is None else "https")
