"""Messages put together from data in pieces of any size, and what the other side may send meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from fabric_embedded.http2.budget import Budget
from fabric_embedded.http2.frames import DEFAULT_WINDOW, ConnectionFault
from fabric_embedded.http2.messages import (
    BROKEN_OFF,
    COMPRESSED,
    MAX_MESSAGE_BYTES,
    NO_ROOM,
    TOO_LARGE,
    MessageReader,
    MessageRefused,
)

pytestmark = pytest.mark.unit
LARGE = 300_000


def prefixed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


class Side:
    """A stream's reader, and a sender that never sends more than it may."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.window = DEFAULT_WINDOW
        self.begun = 0
        self.reader = MessageReader(self._credit, self._begin, budget)

    def _credit(self, size: int) -> None:
        self.window += size

    def _begin(self) -> None:
        self.begun += 1

    def send(self, data: bytes, *, ended: bool = False) -> None:
        assert len(data) <= self.window
        self.window -= len(data)
        self.reader.feed(data, ended)

    async def refusal(self) -> str:
        with pytest.raises(MessageRefused) as refused:
            await self.reader.receive()
        return refused.value.kind


def pieces(data: bytes, seed: int, largest: int) -> Sequence[bytes]:
    randomness, found = random.Random(seed), []
    while data:
        size = randomness.randint(1, largest)
        found.append(data[:size])
        data = data[size:]
    return found


@pytest.mark.parametrize("largest", [1, 7, 5000])
@pytest.mark.parametrize("seed", range(3))
async def test_messages_come_whole_however_they_are_cut(seed: int, largest: int) -> None:
    sizes = [0, 1, 4, 5, 6, 1000, 0, 3]
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]
    side = Side()
    for piece in pieces(b"".join(map(prefixed, messages)), seed, largest):
        side.send(piece)
    side.reader.end()
    assert [await side.reader.receive() for _ in messages] == messages
    assert await side.reader.receive() is None
    assert side.begun == 1


@pytest.mark.parametrize("budget", [None, Budget()], ids=["trusted", "counted"])
async def test_many_messages_come_through_a_small_window(budget: Budget | None) -> None:
    side, messages = Side(budget), [bytes([number]) * (number * 9_000) for number in range(40)]
    received: list[bytes] = []

    async def receive() -> None:
        while (message := await side.reader.receive()) is not None:
            received.append(bytes(message))

    receiving = asyncio.create_task(receive())
    data = b"".join(map(prefixed, messages))
    while data:
        size = min(side.window, 16_384)
        side.send(data[:size])
        data = data[size:]
        await asyncio.sleep(0)
    side.reader.end()
    await receiving
    assert received == messages
    # All that was sent was credited again, but for what is still too little to say so.
    assert DEFAULT_WINDOW // 2 < side.window <= DEFAULT_WINDOW


async def test_nobody_may_send_on_while_nobody_receives() -> None:
    side = Side(Budget())
    message = prefixed(bytes(1000))
    while side.window >= len(message):
        side.send(message)
    assert side.window < len(message)
    for _ in range(40):
        await side.reader.receive()
    assert side.window > 30_000


async def test_a_large_message_waits_for_room() -> None:
    budget = Budget(LARGE, release=lambda: None)
    first, second = Side(budget), Side(budget)
    first.send(prefixed(bytes(LARGE))[:5])
    second.send(prefixed(bytes(LARGE))[:5])
    assert first.window >= LARGE
    assert second.window < DEFAULT_WINDOW
    first.send(bytes(LARGE))
    assert len(await first.reader.receive() or b"") == LARGE
    assert second.window < DEFAULT_WINDOW
    first.reader.close()
    assert second.window >= LARGE
    second.send(bytes(LARGE))
    assert len(await second.reader.receive() or b"") == LARGE


async def test_a_message_keeps_its_room_until_the_next_is_asked_for() -> None:
    budget = Budget(LARGE, release=lambda: None)
    side, other = Side(budget), Side(budget)
    side.send(prefixed(bytes(LARGE))[:5])
    side.send(bytes(LARGE))
    side.send(prefixed(b"small"))
    other.send(prefixed(bytes(LARGE))[:5])
    await side.reader.receive()
    assert other.window < DEFAULT_WINDOW
    assert await side.reader.receive() == b"small"
    assert other.window >= LARGE


async def test_what_finds_no_room_in_time_is_refused() -> None:
    budget = Budget(LARGE, release=lambda: None, patience=0.01)
    holding, waiting = Side(budget), Side(budget)
    holding.send(prefixed(bytes(LARGE))[:5])
    waiting.send(prefixed(bytes(LARGE))[:5])
    assert await waiting.refusal() == NO_ROOM
    holding.send(bytes(LARGE))
    assert len(await holding.reader.receive() or b"") == LARGE


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x01\0\0\0\x01a", COMPRESSED),
        (b"\0" + (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"), TOO_LARGE),
        (b"\0\0\0\0\x05abc", BROKEN_OFF),
        (b"\0\0", BROKEN_OFF),
        (b"\0\0\x10\0\0abc", BROKEN_OFF),
    ],
)
async def test_what_is_no_message_is_refused(data: bytes, kind: str) -> None:
    side = Side(Budget())
    side.send(prefixed(b"good"))
    side.send(data, ended=True)
    assert await side.reader.receive() == b"good"
    assert await side.refusal() == kind
    with pytest.raises(ConnectionFault, match="after the end"):
        side.send(b"more")
    assert await side.refusal() == kind


async def test_a_closed_reader_keeps_nothing() -> None:
    budget = Budget(LARGE, release=lambda: None)
    side = Side(budget)
    side.send(prefixed(bytes(LARGE))[:5])
    side.send(bytes(1000))
    side.reader.close()
    side.send(bytes(40_000))
    assert await side.refusal() == BROKEN_OFF
    other = Side(budget)
    other.send(prefixed(bytes(LARGE))[:5])
    assert other.window >= LARGE
