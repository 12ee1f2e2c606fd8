"""One transaction's side of the stream: a request goes out, its answer comes back, one at a time.

A peer drops a second request of the same channel and transaction without an answer (fabric-behaviour §5.2),
so calls that a contract makes at once are sent one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

from fabric_shim.errors import PeerError, ShimError
from fabric_shim.messages import ERROR, ChaincodeMessage, operation_name


class Exchange:
    """Requests of one transaction.

    Args:
        channel_id: with the transaction's id, what answers are matched by.
        transaction_id: see above.
        post: queues a message for sending.
    """

    __slots__ = ("_abandoned", "_answer", "_closed", "_post", "_turn", "channel_id", "transaction_id")

    def __init__(self, channel_id: str, transaction_id: str, post: Callable[[Any], None]) -> None:
        self.channel_id = channel_id
        self.transaction_id = transaction_id
        self._post = post
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[Any] | None = None
        self._abandoned: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a request would have to wait for its turn."""
        return self._turn.locked()

    async def __aenter__(self) -> None:
        await self._turn.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn.release()

    async def request(self, message_type: int, payload: bytes) -> bytes:
        """Wait for a turn, send one request and return the payload of its answer.

        Raises:
            PeerError: the peer answered with an error.
            ShimError: ``TRANSACTION_ENDED``, the transaction has been answered already.
        """
        async with self._turn:
            return await self.request_in_turn(message_type, payload)

    async def request_in_turn(self, message_type: int, payload: bytes) -> bytes:
        """As ``request``, by a caller that holds the turn (``async with exchange``)."""
        if self._abandoned is not None:
            await self._abandoned
            self._abandoned = None
        if self._closed:
            raise ShimError(
                "TRANSACTION_ENDED", "the transaction has been answered; its stub is of no use now"
            )
        loop = asyncio.get_running_loop()
        answer = self._answer = loop.create_future()
        self._post(
            ChaincodeMessage(
                type=message_type, payload=payload, txid=self.transaction_id, channel_id=self.channel_id
            )
        )
        try:
            message = await answer
        except asyncio.CancelledError:
            # The peer still works on the request: whoever has the next turn must wait for its answer.
            self._abandoned = loop.create_future() if self._answer is answer else None
            raise
        if message.type == ERROR:
            raise PeerError(operation_name(message_type), message.payload.decode(errors="replace"))
        return bytes(message.payload)

    def deliver(self, message: Any) -> bool:
        """Hand over a ``RESPONSE`` or ``ERROR``; ``False`` if no request waits for one."""
        answer, self._answer = self._answer, None
        if answer is None:
            return False
        if not answer.done():
            answer.set_result(message)
        elif self._abandoned is not None:
            self._abandoned.set_result(None)
        return True

    def close(self) -> None:
        """Refuse further requests and fail the one that waits: the transaction has been answered."""
        self._closed = True
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.cancel()
        if self._abandoned is not None and not self._abandoned.done():
            self._abandoned.set_result(None)
