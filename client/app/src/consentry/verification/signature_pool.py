"""Other processes that check the signatures of coming blocks, while this one does everything else in order.

Only signatures that hold come back, by name; whatever a process does not tell is checked here once more. So
what a chain amounts to, and its first difference, never depend on how many processes there are.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue

from consentry.signature_process import check_blocks

Held = Callable[[], tuple[bytes, ...]]
"""Gives the names of the signatures that hold, when they are known."""

AHEAD = 2
"""Blocks that a process has at a time: the next one is there when it has checked one."""

# Starting a process takes as much of a core as checking a thousand transactions.
_WORTH_BYTES = 8 * 1024 * 1024
# How long to wait for one that starts: blocks that come meanwhile are checked here.
_START_SECONDS = 0.0
_END_SECONDS = 5.0


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Checker:
    """One process, and the blocks that it was given and has not answered yet."""

    def __init__(self) -> None:
        # A fork would copy gRPC's threads in whatever state they are.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=check_blocks, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.ready = False
        self.waiting: deque[int] = deque()
        self._given: SimpleQueue[bytes | None] = SimpleQueue()
        # A block is larger than a pipe: without a thread, giving one would wait for the process to read it.
        self._giving = threading.Thread(target=self._give, name="blocks to check", daemon=True)
        self._giving.start()

    def has_started(self, seconds: float) -> bool:
        """Whether it can be asked; waits no longer for the word that it can."""
        if not self.ready and self.connection.poll(seconds):
            self.ready = self.receive() is not None
        return self.ready

    def give(self, ticket: int, data: bytes) -> None:
        """Have a block checked after those that it was given before."""
        self.waiting.append(ticket)
        self._given.put(data)

    def receive(self) -> tuple[bytes, ...] | None:
        """Its next answer; None if it was killed from outside, for want of memory perhaps."""
        try:
            names: tuple[bytes, ...] = self.connection.recv()
        except (EOFError, OSError):
            self.ready = False
            return None
        return names

    def end(self) -> None:
        """End it, whatever it is doing."""
        self.process.terminate()
        self.process.join(_END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        # With the process its end of the pipe is gone, so that nothing is given any more.
        self._given.put(None)
        self._giving.join()
        self.connection.close()

    def _give(self) -> None:
        while (data := self._given.get()) is not None:
            with contextlib.suppress(OSError):
                self.connection.send_bytes(data)


class SignaturePool:
    """Checks the signatures of blocks in other processes; from `signature_pool`.

    Args:
        size: how many processes.
        worth_bytes: none is started before blocks of this size together have come.
    """

    def __init__(self, size: int, worth_bytes: int) -> None:
        self._size = size
        self._worth_bytes = worth_bytes
        self._checkers: list[_Checker] = []
        self._tickets = itertools.count()
        self._answers: dict[int, tuple[bytes, ...]] = {}

    @property
    def capacity(self) -> int:
        """How many blocks may be submitted before the first of them is asked for."""
        return self._size * AHEAD

    def submit(self, data: bytes) -> Held:
        """Have a block's signatures checked, if a process is free for it.

        Args:
            data: serialized ``common.Block``.
        """
        if self._worth_bytes > 0:
            self._worth_bytes -= len(data)
            return _nothing
        if not self._checkers:
            self._checkers = [_Checker() for _ in range(self._size)]
        started = [checker for checker in self._checkers if checker.has_started(_START_SECONDS)]
        checker = min(started, key=lambda item: len(item.waiting), default=None)
        if checker is None or len(checker.waiting) >= AHEAD:
            return _nothing
        ticket = next(self._tickets)
        checker.give(ticket, data)
        return lambda: self._answer(checker, ticket)

    def end(self) -> None:
        """End the processes, whatever they are doing."""
        for checker in self._checkers:
            checker.end()
        self._checkers = []

    def _answer(self, checker: _Checker, ticket: int) -> tuple[bytes, ...]:
        """Answers come in the order of the blocks; those that nobody asked for yet are kept."""
        while ticket not in self._answers:
            names = checker.receive()
            if names is None:
                # The others go on, or this process alone.
                return ()
            self._answers[checker.waiting.popleft()] = names
        return self._answers.pop(ticket)


@contextlib.contextmanager
def signature_pool(size: int, worth_bytes: int | None = None) -> Iterator[SignaturePool | None]:
    """Give a pool whose processes end with the block, however it is left.

    Args:
        size: how many processes; with 1 there is no pool, and whoever asks checks for itself.
        worth_bytes: see `SignaturePool`; by default 4 MiB.
    """
    if size == 1:
        yield None
        return
    pool = SignaturePool(size, _WORTH_BYTES if worth_bytes is None else worth_bytes)
    try:
        yield pool
    finally:
        pool.end()


def _nothing() -> tuple[bytes, ...]:
    return ()
