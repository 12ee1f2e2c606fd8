"""The answer to a call of a function: how far it is, and in the end its outputs, once these are on record."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from consentry.gate.compute.running import FunctionRun
from consentry.gate.compute.wire import MEDIA_TYPE, Ended, progress_line
from consentry.gate.supervision import end_of, send_body, send_head, supervised

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from consentry.gate.service import Gate

_PROGRESS_SECONDS = 1.0
_LAST_WORD_SECONDS = 60.0
_PIECE = 1 << 20


class ComputeResponse:
    """Runs a function, watches whether it may go on, and has its end recorded whatever happens."""

    def __init__(
        self, gate: Gate, run: FunctionRun, stopping: asyncio.Event, threads: ThreadPoolExecutor
    ) -> None:
        self._gate = gate
        self._run = run
        self._stopping = stopping
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        over = lambda: self._gate.over(self._run)  # noqa: E731
        end = await supervised(self._follow(send), over, receive, self._stopping, self._threads)
        loop = asyncio.get_running_loop()
        # The last question: what was overtaken while the function came to its end does not leave.
        if end == "completed":
            found = await asyncio.gather(loop.run_in_executor(self._threads, over), return_exceptions=True)
            end = end_of(lambda: _raised(found[0]) or "completed")
        finish = self._gate.finish
        record, on_ledger = await loop.run_in_executor(self._threads, finish, self._run, end)
        if end == "recipient-gone":
            return
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(
                self._last(send, Ended(record, on_ledger, self._run.key)), _LAST_WORD_SECONDS
            )

    async def _follow(self, send: Send) -> str:
        """Say every second how far it is; cancelled, stop it and wait until nothing of it is left."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run.run)
        try:
            await send_head(send, MEDIA_TYPE)
            while not running.done():
                await send_body(send, progress_line(self._run.gone_through, self._run.row_count))
                await asyncio.wait([running], timeout=_PROGRESS_SECONDS)
            return running.result()
        finally:
            self._run.stop("gate-stopped")
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()

    async def _last(self, send: Send, ended: Ended) -> None:
        """The end; outputs leave only where their digests are on the ledger."""
        outputs = self._run.outputs if ended.recorded else {}
        if not outputs:
            ended = Ended(ended.delivery, ended.recorded, b"")
        await send_body(send, ended.encode())
        for data in outputs.values():
            for start in range(0, len(data), _PIECE):
                await send_body(send, data[start : start + _PIECE])
        await send_body(send, b"", more=False)


def _raised(found: str | BaseException | None) -> str | None:
    if isinstance(found, BaseException):
        raise found
    return found
