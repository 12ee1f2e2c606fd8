"""The answer to a call of a function: how far it is, and in the end its outputs, once these are on record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consentry.gate.compute.attending import AttendedRun
from consentry.gate.compute.calls import Given
from consentry.gate.compute.wire import MEDIA_TYPE, progress_line
from consentry.gate.supervision import disconnected, send_body, send_head

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_PROGRESS_SECONDS = 1.0
_PIECE_SECONDS = 60.0
_PIECE = 1 << 20


class ComputeResponse:
    """Says every second how far a run is, then what it gave; a run that was over before, at once."""

    def __init__(self, of: AttendedRun | Given) -> None:
        self._of = of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI). A connection that breaks ends the answer, not the run."""
        gone = asyncio.create_task(disconnected(receive))
        try:
            await send_head(send, MEDIA_TYPE)
            given = self._of if isinstance(self._of, Given) else await _followed(self._of, gone, send)
            if given is not None:
                await _give(send, given)
        except OSError:
            return  # who asked is gone, or takes nothing, and may ask again
        finally:
            gone.cancel()


async def _followed(run: AttendedRun, gone: asyncio.Task[str], send: Send) -> Given | None:
    """Say how far a run is until it has ended; None where the connection broke off before."""
    with run.waited_for():
        while not run.task.done() and not gone.done():
            await _sent(send, progress_line(*run.progress))
            await asyncio.wait(
                [run.task, gone], timeout=_PROGRESS_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        return run.task.result() if run.task.done() else None


async def _give(send: Send, given: Given) -> None:
    await _sent(send, given.ended.encode())
    for data in given.outputs:
        for start in range(0, len(data), _PIECE):
            await _sent(send, data[start : start + _PIECE])
    await asyncio.wait_for(send_body(send, b"", more=False), _PIECE_SECONDS)


async def _sent(send: Send, data: bytes) -> None:
    """Send a piece; one that nobody takes for a minute ends the answer."""
    await asyncio.wait_for(send_body(send, data), _PIECE_SECONDS)
