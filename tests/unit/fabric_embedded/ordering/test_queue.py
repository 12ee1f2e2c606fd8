"""The ordering queue: by time, by count, and no more than fits."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from fabric_embedded.ordering import queue as queue_module
from fabric_embedded.ordering.queue import OrderingQueue

CONFIG: Any = SimpleNamespace(max_message_count=3, preferred_max_bytes=1000)


async def test_lone_envelope_is_cut_after_the_timeout() -> None:
    queue = OrderingQueue()
    await queue.put(b"a", 1, CONFIG)
    assert await queue.next_batch(0.01) == [b"a"]


async def test_waiting_consumer_gets_what_comes_later() -> None:
    queue = OrderingQueue()
    waiting = asyncio.create_task(queue.next_batch(0.01))
    await asyncio.sleep(0.02)
    await queue.put(b"a", 1, CONFIG)
    assert await waiting == [b"a"]


async def test_full_block_does_not_wait() -> None:
    queue = OrderingQueue()
    waiting = asyncio.create_task(queue.next_batch(3600))
    for envelope in (b"a", b"b", b"c", b"d"):
        await queue.put(envelope, 1, CONFIG)
    assert await waiting == [b"a", b"b", b"c"]
    assert await queue.next_batch(0.01) == [b"d"]


async def test_blocks_grow_while_their_consumer_is_busy() -> None:
    queue = OrderingQueue()
    await queue.put(b"a", 1, CONFIG)
    await asyncio.sleep(0.02)
    await queue.put(b"b", 1, CONFIG)
    assert await queue.next_batch(0.01) == [b"a", b"b"]


async def test_producers_wait_while_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "_MOST_WAITING_BYTES", 2)
    queue = OrderingQueue()
    await queue.put(b"abc", 3, CONFIG)
    blocked = asyncio.create_task(queue.put(b"d", 1, CONFIG))
    await asyncio.sleep(0.01)
    assert not blocked.done()
    assert await queue.next_batch(0.01) == [b"abc"]
    await blocked
    assert await queue.next_batch(0.01) == [b"d"]
