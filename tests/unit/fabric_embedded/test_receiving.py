"""Receiving messages: what waits and what is refused when memory is short."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from fabric_embedded.errors import MemoryShortError
from fabric_embedded.services.receiving import HEADROOM_BYTES, LARGE_BYTES, Receiver, resident_bytes

LIMIT = 1000


class Memory:
    """How much the process takes, as a test says; releasing brings it down to `least`."""

    def __init__(self, taken: int, least: int | None = None) -> None:
        self.taken, self.least, self.releases = taken, least, 0

    def resident(self) -> int:
        return self.taken

    def release(self) -> None:
        self.releases += 1
        if self.least is not None:
            self.taken = self.least

    def receiver(self) -> Receiver:
        return Receiver(LIMIT, self.resident, self.release)


async def _never() -> Any:
    await asyncio.Event().wait()


async def _message() -> bytes:
    return b"small"


async def _end() -> Any:
    return grpc.aio.EOF


async def _arrives(receiver: Receiver) -> None:
    """Wait until a message takes long enough to be a large one."""
    while not receiver._calm_from:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)


async def test_messages_come_until_there_are_none() -> None:
    receiver = Memory(0).receiver()
    assert await receiver.receive(_message) == b"small"
    assert await receiver.receive(_end) is None


async def test_what_is_arriving_is_refused_when_memory_is_short() -> None:
    memory = Memory(0)
    receiver = memory.receiver()
    arriving = asyncio.create_task(receiver.receive(_never))
    await _arrives(receiver)
    memory.taken = LIMIT + HEADROOM_BYTES + 1
    with pytest.raises(MemoryShortError) as refusal:
        await arriving
    assert refusal.value.code == "MEMORY_SHORT"
    assert memory.releases


async def test_a_cancelled_call_is_cancelled_and_not_refused() -> None:
    receiver = Memory(0).receiver()
    waiting = asyncio.create_task(receiver.receive(_never))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_new_messages_wait_until_there_is_room() -> None:
    memory = Memory(0)
    receiver = memory.receiver()
    arriving = asyncio.create_task(receiver.receive(_never))
    await _arrives(receiver)
    memory.taken = LIMIT + HEADROOM_BYTES + 1
    with pytest.raises(MemoryShortError):
        await arriving
    waiting = asyncio.create_task(receiver.receive(_message))
    await asyncio.sleep(0)
    assert not waiting.done()
    memory.taken = 0
    assert await waiting == b"small"


async def test_a_process_that_is_large_without_large_messages_refuses_nobody() -> None:
    memory = Memory(50 * LIMIT)
    receiver = memory.receiver()
    waiting = asyncio.create_task(receiver.receive(_never))
    await asyncio.sleep(0.15)
    assert not waiting.done()
    assert await receiver.receive(_message) == b"small"
    waiting.cancel()


async def test_a_large_message_is_given_back_to_the_system() -> None:
    memory = Memory(0)
    receiver = memory.receiver()

    async def large() -> bytes:
        await _arrives(receiver)
        memory.taken = LARGE_BYTES + 1
        return b"large"

    assert await receiver.receive(large) == b"large"
    while not memory.releases:  # noqa: ASYNC110 - releasing sets no event
        await asyncio.sleep(0.01)


def test_the_process_knows_what_it_takes() -> None:
    assert resident_bytes() > 2**20
