"""Memory for large messages, shared by all connections: what has no room waits, and is refused in the end.

Messages that fit into a stream's window are in memory anyway and are not counted. A larger one says its size
before it comes: it gets its room as a whole or its sender is held back by HTTP/2's flow control meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

ROOM_BYTES: Final = 128 * 2**20
"""What all large messages together may take; one of the largest size must fit."""

LARGE_BYTES: Final = 8 * 2**20
"""Of messages from this size on the memory is given back to the system at once."""

PATIENCE_SECONDS: Final = 5.0
_STALLED_SECONDS: Final = 10.0
_LEAST_BYTES_A_SECOND: Final = 64 * 1024
_RELEASE_SECONDS: Final = 1.0


def give_back_memory() -> None:
    """Free what only cycles hold (exceptions do), and have the C library return it to the system."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Room:
    """A large message's place in memory, from when it may come until nobody needs it any more.

    Parameters:
        size: of the message.
        admit: called once there is room; not before `Budget.ask` has returned.
        refuse: called if there is none in time, or if the message comes too slowly while others wait.
    """

    __slots__ = ("admit", "arrived", "refuse", "since", "size")

    def __init__(self, size: int, admit: Callable[[], None], refuse: Callable[[], None]) -> None:
        self.size = size
        self.admit = admit
        self.refuse = refuse
        self.since = 0.0
        self.arrived = 0


class Budget:
    """Hands out room. Event loop only.

    Parameters:
        total: bytes.
        release: gives memory back to the system.
        patience: seconds that a message waits for room.
    """

    def __init__(
        self,
        total: int = ROOM_BYTES,
        release: Callable[[], None] = give_back_memory,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._left = total
        self._release = release
        self._patience = patience
        self._held: dict[Room, None] = {}
        self._waiting: OrderedDict[Room, asyncio.TimerHandle] = OrderedDict()
        self._releasing: asyncio.TimerHandle | None = None

    def ask(self, room: Room) -> bool:
        """Whether there is room at once; otherwise `room.admit` or `room.refuse` is called later."""
        if not self._waiting and room.size <= self._left:
            self._take(room)
            return True
        timer = asyncio.get_running_loop().call_later(self._patience, self._give_up, room)
        self._waiting[room] = timer
        return False

    def give_back(self, room: Room) -> None:
        """A message is needed no more, or does not come; harmless if it had no room."""
        timer = self._waiting.pop(room, None)
        if timer is not None:
            timer.cancel()
        elif room in self._held:
            del self._held[room]
            self._left += room.size
            if room.size >= LARGE_BYTES and self._releasing is None:
                loop = asyncio.get_running_loop()
                self._releasing = loop.call_later(_RELEASE_SECONDS, self._release_now)
        self._admit_next()

    def _take(self, room: Room) -> None:
        self._left -= room.size
        room.since = asyncio.get_running_loop().time()
        self._held[room] = None

    def _admit_next(self) -> None:
        while self._waiting:
            room = next(iter(self._waiting))
            if room.size > self._left:
                return
            self._waiting.pop(room).cancel()
            self._take(room)
            room.admit()

    def _give_up(self, room: Room) -> None:
        """Refuse those who hold room and hardly send; without any, the one that has waited too long."""
        now = asyncio.get_running_loop().time()
        stalled = [held for held in self._held if _is_stalled(held, now)]
        if stalled:
            for held in stalled:
                held.refuse()
            if room not in self._waiting:
                return
        del self._waiting[room]
        room.refuse()
        self._admit_next()

    def _release_now(self) -> None:
        self._releasing = None
        self._release()


def _is_stalled(room: Room, now: float) -> bool:
    age = now - room.since
    is_whole = room.arrived >= room.size
    return not is_whole and age > _STALLED_SECONDS and room.arrived < age * _LEAST_BYTES_A_SECOND
