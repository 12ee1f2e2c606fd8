"""Other processes that check the signatures of coming blocks, while this one does everything else in order.

Only signatures that hold come back, by name; whatever a process does not tell is checked here once more. So
what a chain amounts to, and its first difference, never depend on how many processes there are.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from fabric_protocol.signature_checks import held_signatures

Held = Callable[[], tuple[bytes, ...]]
"""Gives the names of the signatures that hold, when they are known."""

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


@dataclass
class SignaturePool:
    """Checks the signatures of blocks in other processes; from `signature_pool`.

    Attributes:
        size: how many processes.
        worth_bytes: none is started before blocks of this size together have come.
    """

    size: int
    worth_bytes: int
    _processes: list[tuple[BaseProcess, Connection]] = field(default_factory=list)
    _starting: list[Connection] = field(default_factory=list)
    _idle: deque[Connection] = field(default_factory=deque)

    def submit(self, data: bytes) -> Held:
        """Have a block's signatures checked; no more than `size` blocks may wait for their answers.

        Args:
            data: serialized ``common.Block``.
        """
        if self.worth_bytes > 0:
            self.worth_bytes -= len(data)
            return _nothing
        if not self._processes:
            self._start()
        self._take_started()
        if not self._idle:
            return _nothing
        connection = self._idle.popleft()
        try:
            connection.send_bytes(data)
        except OSError:
            return _nothing
        return lambda: self._answer(connection)

    def end(self) -> None:
        """End the processes, whatever they are doing."""
        for process, connection in self._processes:
            process.terminate()
            connection.close()
        for process, _ in self._processes:
            process.join(_END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        self._processes = []

    def _start(self) -> None:
        # A fork would copy gRPC's threads in whatever state they are.
        context = multiprocessing.get_context("spawn")
        for _ in range(self.size):
            ours, theirs = context.Pipe()
            process = context.Process(target=_check, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._processes.append((process, ours))
            self._starting.append(ours)

    def _take_started(self) -> None:
        for connection in [item for item in self._starting if item.poll(_START_SECONDS)]:
            self._starting.remove(connection)
            self._answer(connection)

    def _answer(self, connection: Connection) -> tuple[bytes, ...]:
        try:
            names: tuple[bytes, ...] = connection.recv()
        except (EOFError, OSError):
            # It was killed from outside, for want of memory perhaps: the others go on, or this process alone.
            return ()
        self._idle.append(connection)
        return names


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


def _check(connection: Connection) -> None:
    """A process of the pool: ends when the one that asks closes its side, however that one ends."""
    # Ctrl-C reaches all processes of a terminal; the one that asks ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        # It can be asked from now on.
        connection.send(())
        while True:
            connection.send(held_signatures(connection.recv_bytes()))
