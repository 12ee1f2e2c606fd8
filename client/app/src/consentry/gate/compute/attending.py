"""Runs of functions and who waits for them: a run outlives a broken connection, for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from consentry.gate.compute.calls import Given
from consentry.gate.compute.running import FunctionRun
from consentry.gate.compute.wire import Ended
from consentry.gate.supervision import end_of, supervised

if TYPE_CHECKING:
    from consentry.gate.service import Gate

_LOOK_SECONDS = 0.5
_log = logging.getLogger(__name__)


class Attendance:
    """The runs that go on in one event loop."""

    def __init__(self, gate: Gate, stopping: asyncio.Event, threads: ThreadPoolExecutor) -> None:
        self._gate = gate
        self._stopping = stopping
        self._threads = threads
        self._tasks: set[asyncio.Task[Given]] = set()

    def of(self, run: FunctionRun) -> AttendedRun:
        """Have a run going, if it is not yet, and return it."""
        if run.attended is None:
            run.attended = AttendedRun(self._gate, run, self._stopping, self._threads)
            self._tasks.add(run.attended.task)
            run.attended.task.add_done_callback(self._tasks.discard)
        return run.attended

    async def ended(self) -> None:
        """Wait until every run has ended and was recorded; `stopping` ends them."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


class AttendedRun:
    """One run under way; it ends as "recipient-gone" where nobody has waited for it for some time."""

    def __init__(
        self, gate: Gate, run: FunctionRun, stopping: asyncio.Event, threads: ThreadPoolExecutor
    ) -> None:
        """Have it going."""
        self._gate = gate
        self._run = run
        self._stopping = stopping
        self._threads = threads
        self._present = 0
        self._left_at = time.monotonic()
        self.task = asyncio.create_task(self._to_its_end())

    @property
    def progress(self) -> tuple[int, int]:
        """How many rows it was given, of how many."""
        return self._run.gone_through, self._run.row_count

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Somebody waits for it as long as the block runs."""
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1
            self._left_at = time.monotonic()

    async def _to_its_end(self) -> Given:
        """Run it, watch whether it may go on, and have its end recorded whatever happens."""
        over, loop = lambda: self._gate.over(self._run), asyncio.get_running_loop()
        end = await supervised(self._ran(), over, self._abandoned(), self._stopping, self._threads)
        # The last question: what was overtaken while the function came to its end does not leave.
        if end == "completed":
            found = await asyncio.gather(loop.run_in_executor(self._threads, over), return_exceptions=True)
            end = end_of(lambda: _raised(found[0]) or "completed")
        record, on_ledger = await loop.run_in_executor(self._threads, self._gate.finish, self._run, end)
        outputs = tuple(self._run.outputs.values()) if on_ledger else ()
        return Given(Ended(record, on_ledger, self._run.key if outputs else b""), outputs)

    async def _ran(self) -> str:
        """Its end by itself; cancelled, stop it and wait until nothing of it is left."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run.run)
        try:
            return await asyncio.shield(running)
        except OSError as error:
            # No connection is part of the work: this is the machine.
            _log.error("a run failed: %s", type(error).__name__)
            return "failed"
        finally:
            self._run.stop("gate-stopped")
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()

    async def _abandoned(self) -> str:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._present and time.monotonic() - self._left_at >= self._gate.wait_seconds:
                return "recipient-gone"


def _raised(found: str | BaseException | None) -> str | None:
    if isinstance(found, BaseException):
        raise found
    return found
