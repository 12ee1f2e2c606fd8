"""Envelopes on their way into blocks: cut by count, bytes and time, with a bound on how many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from fabric_embedded.ordering.cutter import Batch, BlockCutter

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig

_MOST_WAITING_BYTES = 64 * 2**20


class OrderingQueue:
    """One producer a call of `put`, one consumer. Event loop only.

    A block is cut by time only when its consumer asks for one: while blocks come faster than they can be
    committed, they grow instead of queueing up.
    """

    def __init__(self) -> None:
        self._cutter = BlockCutter()
        self._full: deque[Batch] = deque()
        self._first_at = 0.0
        self._waiting_bytes = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def has_room(self) -> bool:
        """Whether less waits than may."""
        return self._room.is_set()

    async def room(self) -> None:
        """Wait until there was room; somebody else may have taken it since."""
        await self._room.wait()

    async def put(self, envelope: bytes, size: int, config: ChannelConfig) -> None:
        """Add an envelope; waits while too much waits already."""
        while not self.has_room:
            await self.room()
        self.add(envelope, size, config)

    def add(self, envelope: bytes, size: int, config: ChannelConfig) -> None:
        """Add an envelope, be there room or not."""
        if not self._cutter.pending:
            self._first_at = asyncio.get_running_loop().time()
        batches = self._cutter.add(
            envelope,
            size,
            max_message_count=config.max_message_count,
            preferred_max_bytes=config.preferred_max_bytes,
        )
        if batches and self._cutter.pending:
            self._first_at = asyncio.get_running_loop().time()
        self._full.extend(batches)
        self._count(len(envelope))
        if batches or self._cutter.pending == 1:
            self._changed.set()

    def add_alone(self, envelope: bytes) -> None:
        """Add an envelope that is a block by itself, after a block of all that waits."""
        if self._cutter.pending:
            self._full.append(self._cutter.cut())
        self._full.append([envelope])
        self._count(len(envelope))
        self._changed.set()

    async def next_batch(self, batch_timeout_seconds: float) -> Batch:
        """The next block's envelopes: a full block, or what has waited for the batch timeout."""
        while not self._full:
            self._changed.clear()
            if not self._cutter.pending:
                await self._changed.wait()
                continue
            remaining = self._first_at + batch_timeout_seconds - asyncio.get_running_loop().time()
            if remaining <= 0:
                self._full.append(self._cutter.cut())
                break
            try:
                async with asyncio.timeout(remaining):
                    await self._changed.wait()
            except TimeoutError:
                continue
        batch = self._full.popleft()
        self._count(-sum(map(len, batch)))
        return batch

    def _count(self, change: int) -> None:
        self._waiting_bytes += change
        if self._waiting_bytes > _MOST_WAITING_BYTES:
            self._room.clear()
        else:
            self._room.set()
