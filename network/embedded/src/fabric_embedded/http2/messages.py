"""gRPC's messages put together from a stream's data, and how much more of it the other side may send."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from fabric_embedded.http2.budget import Budget, Room
from fabric_embedded.http2.frames import DEFAULT_WINDOW, ConnectionFault, ErrorCode

MAX_MESSAGE_BYTES: Final = 100 * 2**20
"""Fabric's limit for messages in both directions (`internal/pkg/comm/config.go`)."""

PREFIX_BYTES: Final = 5
_CREDIT_BYTES: Final = DEFAULT_WINDOW // 2
_SMALL_BYTES: Final = DEFAULT_WINDOW - PREFIX_BYTES
_AHEAD_BYTES: Final = 4 * 2**20


class MessageRefused(Exception):
    """A message is not taken, or what came is none; `kind` says which of the constants below."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


TOO_LARGE = "TOO_LARGE"
COMPRESSED = "COMPRESSED"
BROKEN_OFF = "BROKEN_OFF"
NO_ROOM = "NO_ROOM"


class MessageReader:
    """The incoming half of one stream. One task at a time receives.

    Parameters:
        credit: lets the other side send so many bytes more on this stream.
        arrived: called when there is something to receive for the first time.
        budget: where large messages get their room; None for a side that is trusted with memory.
        window: bytes that the other side may send from the beginning.
    """

    __slots__ = (
        "_allowed", "_arrived", "_budget", "_credit", "_credited_ahead", "_current", "_ended", "_failure",
        "_filled", "_in_use", "_messages", "_owed", "_partial", "_room", "_waiter",
    )  # fmt: skip

    def __init__(
        self,
        credit: Callable[[int], None],
        arrived: Callable[[], None],
        budget: Budget | None,
        window: int = DEFAULT_WINDOW,
    ) -> None:
        self._allowed = window
        self._credit = credit
        self._arrived: Callable[[], None] | None = arrived
        self._budget = budget
        self._messages: deque[tuple[bytes | bytearray, int, Room | None]] = deque()
        self._partial = bytearray()
        self._current: bytearray | None = None
        self._filled = 0
        self._owed = 0
        self._credited_ahead = 0
        self._room: Room | None = None
        self._in_use: Room | None = None
        self._ended = False
        self._failure: MessageRefused | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def receive(self) -> bytes | bytearray | None:
        """The next message; None after the last. The one before is not counted as in memory any more.

        Raises:
            MessageRefused: it is too large, compressed, broken off, or there is no room for it.
        """
        while not self._messages:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message, owed, room = self._messages.popleft()
        self._give_back(self._in_use)
        self._in_use = room
        self._give_credit(owed)
        return message

    @property
    def has_ended(self) -> bool:
        """Whether the other side has sent all."""
        return self._ended

    def feed(self, data: bytes, ended: bool) -> None:
        """Data of the stream has come; `ended` says that it was the last.

        Raises:
            ConnectionFault: it was not allowed so much, or had said that it was the last before.
        """
        self._spend(len(data))
        if self._failure is not None:
            self._give_credit(len(data))
        elif (
            not self._partial
            and self._current is None
            and PREFIX_BYTES <= len(data) <= _SMALL_BYTES
            and not data[0]
            and len(data) - PREFIX_BYTES == int.from_bytes(data[1:PREFIX_BYTES], "big")
        ):
            self._deliver(data[PREFIX_BYTES:], len(data), None)
        else:
            self._assemble(data)
        if ended:
            self.end()

    def pass_over(self, size: int) -> None:
        """So many bytes came that are no data.

        Raises:
            ConnectionFault: as `feed`.
        """
        self._spend(size)
        self._give_credit(size)

    def end(self) -> None:
        """No more data comes."""
        self._ended = True
        if self._partial or self._current is not None:
            self.fail(MessageRefused(BROKEN_OFF, "the stream ended within a message"))
        else:
            self._wake()

    def fail(self, failure: MessageRefused) -> None:
        """Nothing further can be received; what is complete still is."""
        if self._failure is None:
            self._failure = failure
            self._drop_current()
            self._wake()

    def close(self) -> None:
        """Nobody receives any more: what has come or is coming is not kept."""
        self._drop_current()
        for _, _, room in self._messages:
            self._give_back(room)
        self._messages.clear()
        self._give_back(self._in_use)
        self._in_use = None
        self._failure = self._failure or MessageRefused(BROKEN_OFF, "the stream is closed")

    def _spend(self, size: int) -> None:
        # Without this a side that keeps to no window fills memory with messages that nobody has received yet.
        self._allowed -= size
        if self._allowed < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "data beyond the stream's window")
        if self._ended:
            raise ConnectionFault(ErrorCode.STREAM_CLOSED, "data after the end of its stream")

    def _grant(self, size: int) -> None:
        self._allowed += size
        self._credit(size)

    def _assemble(self, data: bytes) -> None:
        left = self._fill(memoryview(data)) if self._current is not None else data
        self._partial += left
        while self._current is None and self._room is None and len(self._partial) >= PREFIX_BYTES:
            size = int.from_bytes(self._partial[1:PREFIX_BYTES], "big")
            if self._partial[0]:
                return self.fail(MessageRefused(COMPRESSED, "the message is compressed"))
            if size > MAX_MESSAGE_BYTES:
                text = f"grpc: received message larger than max ({size} vs. {MAX_MESSAGE_BYTES})"
                return self.fail(MessageRefused(TOO_LARGE, text))
            if size <= _SMALL_BYTES:
                if len(self._partial) < PREFIX_BYTES + size:
                    return None
                message = bytes(memoryview(self._partial)[PREFIX_BYTES : PREFIX_BYTES + size])
                del self._partial[: PREFIX_BYTES + size]
                self._deliver(message, PREFIX_BYTES + size, None)
            elif not self._ask_for_room(size):
                return None
        return None

    def _ask_for_room(self, size: int) -> bool:
        if self._budget is None:
            self._begin(size)
            return True
        self._room = Room(size, self._admitted, self._refused)
        if not self._budget.ask(self._room):
            return False
        self._begin(size)
        return True

    def _admitted(self) -> None:
        if self._room is not None:
            self._begin(self._room.size)
            self._assemble(b"")

    def _refused(self) -> None:
        self.fail(MessageRefused(NO_ROOM, "too many large messages at once: try again later"))

    def _begin(self, size: int) -> None:
        """There is room: take what came already, and let the sender send ahead what else will fit."""
        self._current, self._filled = bytearray(size), 0
        self._credited_ahead = min(size, _AHEAD_BYTES)
        self._grant(self._credited_ahead)
        partial = self._partial
        self._partial = bytearray()
        self._partial += self._fill(memoryview(partial)[PREFIX_BYTES:])

    def _fill(self, data: memoryview) -> memoryview:
        """Put data into the message that is coming; what is left of it."""
        current = self._current
        if current is None:
            return data
        size = min(len(current) - self._filled, len(data))
        current[self._filled : self._filled + size] = data[:size]
        self._filled += size
        if self._room is not None:
            self._room.arrived = self._filled
        # What was credited ahead is paid back at the message's end.
        left = len(current) - self._filled
        credited = max(0, size - max(0, self._credited_ahead - left))
        self._credited_ahead = min(self._credited_ahead, left)
        self._give_credit(credited)
        if not left:
            room, self._room, self._current = self._room, None, None
            self._deliver(current, PREFIX_BYTES, room)
        return data[size:]

    def _deliver(self, message: bytes | bytearray, owed: int, room: Room | None) -> None:
        """`owed` is to be credited once the message is received."""
        self._messages.append((message, owed, room))
        self._wake()

    def _give_credit(self, size: int) -> None:
        self._owed += size
        if self._owed >= _CREDIT_BYTES and not self._ended:
            self._grant(self._owed)
            self._owed = 0

    def _give_back(self, room: Room | None) -> None:
        if room is not None and self._budget is not None:
            self._budget.give_back(room)

    def _drop_current(self) -> None:
        room, self._room, self._current = self._room, None, None
        self._partial = bytearray()
        self._give_back(room)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        elif self._arrived is not None:
            arrived, self._arrived = self._arrived, None
            arrived()
