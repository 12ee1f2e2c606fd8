"""Receiving messages without taking more memory than there is: back-pressure first, then refusals.

A gRPC message is in memory as a whole before anybody sees it, and its size is told to nobody before. So this
looks at the process: above a limit the next messages are not read, which HTTP/2's flow control passes on to
their senders, and those that are arriving are refused, the latest first, until there is room.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from fabric_embedded import metrics
from fabric_embedded.errors import MemoryShortError

_LOG = logging.getLogger(__name__)
LIMIT_BYTES = 384 * 2**20
"""Memory of the process above which messages have to wait."""

HEADROOM_BYTES = 256 * 2**20
"""What messages may take in any case, above what the process takes without large ones."""

LARGE_BYTES = 32 * 2**20
"""What is worth giving back at once, not when Python and the C library see fit."""

_TICK_SECONDS = 0.02
_SLOW_SECONDS = 0.05
_LONG_SECONDS = 10.0
_PATIENCE_SECONDS = 5.0
_RELEASE_SECONDS = 0.25
_CALM_RELEASE_SECONDS = 1.0
_LINGER_SECONDS = 2.0
_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def give_back_memory() -> None:
    """Free what only cycles hold (exceptions do), and have the C library return it to the system."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Receiver:
    """Reads messages, and knows which calls wait for one. Event loop only.

    Parameters:
        limit_bytes: see `LIMIT_BYTES`.
        resident: how much memory the process takes.
        release: gives memory back to the system.
    """

    def __init__(
        self,
        limit_bytes: int = LIMIT_BYTES,
        resident: Callable[[], int] = resident_bytes,
        release: Callable[[], None] = give_back_memory,
    ) -> None:
        self._limit = limit_bytes
        self._resident = resident
        self._release = release
        self._waiting: dict[asyncio.Task[Any], float] = {}
        self._refused: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._released_at = 0.0
        self._release_until = 0.0
        self._is_tight = False
        self._without_large = 0
        self._calm_from = 0.0

    async def receive(self, read: Callable[[], Awaitable[Any]]) -> bytes | None:
        """The next message; None where there is none any more.

        Parameters:
            read: a call's way to read; gRPC's iterators would keep the last message.

        Raises:
            MemoryShortError: MEMORY_SHORT, if it was arriving while memory was short.
        """
        if self._is_tight:
            await self._room()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a message is received by a task")
        started = self._waiting[task] = asyncio.get_running_loop().time()
        self._watch()
        # A read that is cancelled would leave what has arrived in memory for ever: it goes on by itself.
        reading = asyncio.ensure_future(read())
        try:
            data = await asyncio.shield(reading)
        except asyncio.CancelledError:
            reading.add_done_callback(_forget)
            if task not in self._refused:
                raise
            self._refused.discard(task)
            task.uncancel()
            raise MemoryShortError(
                "MEMORY_SHORT", "too many large messages at once: try again later"
            ) from None
        finally:
            self._waiting.pop(task, None)
            self._note_end(started)
        return None if data is grpc.aio.EOF else bytes(data)

    def _note_end(self, started: float) -> None:
        """What came slowly, whole or in part, may have been large."""
        now = asyncio.get_running_loop().time()
        if now - started >= _SLOW_SECONDS and self._resident() > self._without_large + LARGE_BYTES:
            self._release_until = now + _LINGER_SECONDS
            self._watch()

    async def _room(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE_SECONDS
        while self._is_tight and loop.time() < deadline:  # noqa: ASYNC110 - memory sets no event
            await asyncio.sleep(_TICK_SECONDS)

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        is_lingering = now < self._release_until
        slow = [task for task, since in self._waiting.items() if now - since >= _SLOW_SECONDS]
        recent = [task for task in slow if now - self._waiting[task] < _LONG_SECONDS]
        if recent or is_lingering:
            self._calm_from = now + _LONG_SECONDS
        if now >= self._calm_from:
            self._without_large = self._resident()
        self._is_tight = self._is_above_limit()
        # A stream of messages of a megabyte would have a tenth of its time spent on giving memory back.
        period = _RELEASE_SECONDS if self._is_tight else _CALM_RELEASE_SECONDS
        if (self._is_tight or is_lingering) and now - self._released_at >= period:
            self._release()
            self._released_at = asyncio.get_running_loop().time()
            self._is_tight = self._is_above_limit()
        if self._is_tight:
            # Who has waited for long keeps a stream open, most likely: refused only after all others.
            self._refuse(recent or slow[-1:])
        if self._waiting or self._is_tight or is_lingering:
            self._watch()

    def _is_above_limit(self) -> bool:
        return self._resident() > max(self._limit, self._without_large + HEADROOM_BYTES)

    def _refuse(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        """A small message comes with its call: who waits for one after a moment waits for a large one."""
        for task in tasks:
            if task not in self._refused:
                self._refused.add(task)
                metrics.count_refused_for_memory()
                _LOG.warning("a message is refused, as memory is short")
                task.cancel()


def _forget(reading: asyncio.Future[Any]) -> None:
    """Nobody waits any more; an error that nobody looked at would be logged."""
    if not reading.cancelled():
        reading.exception()


receive = Receiver().receive
"""The next message of any of this process's calls, see `Receiver.receive`."""
