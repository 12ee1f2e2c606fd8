"""The answer to a request for rows: a delivery's stream, whose end is recorded whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from consentry.gate.delivering import Delivery
from consentry.gate.supervision import called, disconnected, send_body, send_head, supervised

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from consentry.gate.service import Gate

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
_LAST_WORD_SECONDS = 1.0


class DeliveryResponse:
    """Streams a delivery, and has its end recorded whatever happens."""

    def __init__(
        self, gate: Gate, delivery: Delivery, stopping: asyncio.Event, threads: ThreadPoolExecutor
    ) -> None:
        self._gate = gate
        self._threads = threads
        self._delivery = delivery
        self._stopping = stopping
        self._is_begun = False
        self._is_torn = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        over = lambda: self._gate.over(self._delivery)  # noqa: E731
        end = await supervised(
            self._send_blocks(send), over, disconnected(receive), self._stopping, self._threads
        )
        record, on_ledger = await called(self._threads, lambda: self._gate.finish(self._delivery, end))
        # Without its last word the recipient takes a stream for broken off, as one is that lacks a piece.
        if self._is_begun and not self._is_torn and end != "recipient-gone":
            last = self._delivery.last_bytes(record, on_ledger)
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(send_body(send, last, more=False), _LAST_WORD_SECONDS)

    async def _send_blocks(self, send: Send) -> str:
        self._is_begun = True
        await send_head(send, MEDIA_TYPE)
        await send_body(send, self._delivery.begin())
        while True:
            block = await called(self._threads, self._delivery.next)
            if block is None:
                return "completed"
            if not self._gate.is_current(self._delivery):
                return "resumed"
            self._delivery.note(block)
            await self._send_noted(send, block.data)

    async def _send_noted(self, send: Send, data: bytes) -> None:
        """Send a piece that counts as given out; one that waits when the end comes has a moment to leave, so
        that what is recorded is what came.
        """
        sending = asyncio.create_task(send_body(send, data))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait([sending], timeout=_LAST_WORD_SECONDS)
            self._is_torn = not done or sending.cancelled() or sending.exception() is not None
            sending.cancel()
            raise
