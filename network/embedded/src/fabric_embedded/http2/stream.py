"""One stream of a connection: what both sides of a gRPC call have in common."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from fabric_embedded.http2 import frames
from fabric_embedded.http2.budget import Budget
from fabric_embedded.http2.frames import ErrorCode
from fabric_embedded.http2.messages import MessageReader

if TYPE_CHECKING:
    from fabric_embedded.http2.connection import Connection
    from fabric_embedded.http2.header_blocks import Headers


class Stream:
    """Messages in both directions over one connection. Event loop only.

    Attributes:
        number: of the stream on its connection.
        messages: what comes.
        window: bytes of data that may still be sent.
    """

    __slots__ = (
        "_closing",
        "_drained",
        "_is_closed",
        "_pending",
        "connection",
        "messages",
        "number",
        "window",
    )

    def __init__(
        self,
        connection: Connection,
        number: int,
        budget: Budget | None,
        receive_window: int = frames.DEFAULT_WINDOW,
    ) -> None:
        self.connection = connection
        self.number = number
        self.window = connection.initial_window
        self.messages = MessageReader(self._credit, self.on_first_message, budget, receive_window)
        self._pending: deque[memoryview] = deque()
        self._closing = b""
        self._is_closed = False
        self._drained: asyncio.Future[None] | None = None

    def on_headers(self, headers: Headers, ended: bool) -> None:
        """Headers have come; `ended` says that nothing follows."""
        if ended:
            self.messages.end()

    def on_first_message(self) -> None:
        """There is something to receive for the first time: a message, the end, or a failure."""

    def on_reset(self) -> None:
        """The other side has given the stream up, or the connection is lost."""
        self._finish()

    def post(self, data: bytes, closing: bytes = b"") -> None:
        """Send data, now or when the other side lets us; `closing` are the frames that end our half."""
        connection, size = self.connection, len(data)
        if (
            not self._pending
            and size <= connection.frame_bytes
            and size <= self.window
            and size <= connection.window
            and not connection.is_paused
        ):
            self._spend(size)
            connection.write(frames.frame(frames.DATA, 0, self.number, data) + closing)
            if closing:
                self._finish()
        else:
            self._pending.append(memoryview(data))
            self._closing += closing
            self.pump()

    def pump(self) -> None:
        """Send what waits, as far as it may be sent."""
        connection, pending = self.connection, self._pending
        while pending and not connection.is_paused:
            data = pending[0]
            size = min(len(data), self.window, connection.window, connection.frame_bytes)
            if size <= 0 and data:
                break
            self._spend(size)
            connection.write(frames.frame(frames.DATA, 0, self.number, bytes(data[:size])))
            if size == len(data):
                pending.popleft()
            else:
                pending[0] = data[size:]
        if pending:
            if self.window > 0:
                connection.blocked[self.number] = self
            return
        if self._closing:
            closing, self._closing = self._closing, b""
            connection.write(closing)
            self._finish()
        self._wake()

    async def drained(self) -> None:
        """Wait until what was sent has left, or the stream has ended."""
        while self._pending and not self._is_closed:
            self._drained = asyncio.get_running_loop().create_future()
            try:
                await self._drained
            finally:
                self._drained = None

    def reset(self, code: ErrorCode) -> None:
        """Give the stream up."""
        if not self._is_closed:
            self.connection.write(frames.reset(self.number, code))
            self._finish()

    def _finish(self) -> None:
        """Forget the stream: nothing is sent or received any more."""
        self._is_closed = True
        self._pending.clear()
        self._closing = b""
        self.messages.close()
        self.connection.forget(self)
        self._wake()

    def _spend(self, size: int) -> None:
        self.window -= size
        self.connection.window -= size
        self.connection.strikes = 0

    def _credit(self, size: int) -> None:
        if not self._is_closed:
            self.connection.write(frames.window_update(self.number, size))

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
