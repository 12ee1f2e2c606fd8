"""One transaction's side of the stream: a request goes out, its answer comes back, one at a time.

A peer drops a second request of the same channel and transaction without an answer (fabric-behaviour §5.2),
so calls that a contract makes at once are sent one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

from fabric_shim.errors import ContractError, PeerError, ShimError
from fabric_shim.messages import ERROR, MOST_PAYLOAD_BYTES, ChaincodeMessage, operation_name


class Exchange:
    """Requests of one transaction.

    Args:
        channel_id: with the transaction's id, what answers are matched by.
        transaction_id: see above.
        post: queues a message for sending.
        late: done once the peer has answered an earlier run of the same transaction that asked and ended.

    Attributes:
        late: done once the peer has answered the request that nobody waits for any more; ``None`` if there is
            none.
    """

    __slots__ = ("_answer", "_closed", "_post", "_turn", "channel_id", "late", "transaction_id")

    def __init__(
        self,
        channel_id: str,
        transaction_id: str,
        post: Callable[[Any], None],
        late: asyncio.Future[None] | None = None,
    ) -> None:
        self.channel_id = channel_id
        self.transaction_id = transaction_id
        self._post = post
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[Any] | None = None
        self._closed = asyncio.Event()
        self.late = late

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
            ContractError: ``MESSAGE_TOO_LARGE``, no peer would take the request.
            ShimError: ``TRANSACTION_ENDED``, the transaction has been answered already.
        """
        async with self._turn:
            return await self.request_in_turn(message_type, payload)

    async def request_in_turn(self, message_type: int, payload: bytes) -> bytes:
        """As ``request``, by a caller that holds the turn (``async with exchange``)."""
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise _too_large(message_type)
        if self.late is not None:
            await self._wait_for_late(self.late)
        if self._closed.is_set():
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
            if self._answer is answer:
                self.late = loop.create_future()
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
        elif self.late is not None and not self.late.done():
            self.late.set_result(None)
        return True

    def close(self) -> None:
        """Refuse further requests and fail the one that waits: the transaction has been answered."""
        self._closed.set()
        answer, self._answer = self._answer, None
        if answer is not None:
            if self.late is None or self.late.done():
                self.late = answer.get_loop().create_future()
            answer.cancel()

    async def _wait_for_late(self, late: asyncio.Future[None]) -> None:
        # Whoever is cancelled here must not cancel the future: the next one waits for it too.
        closed = asyncio.ensure_future(self._closed.wait())
        waiting: set[asyncio.Future[Any]] = {late, closed}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        if late.done():
            self.late = None


def _too_large(message_type: int) -> ContractError:
    return ContractError(
        "MESSAGE_TOO_LARGE",
        "a request to the peer would be larger than any peer takes; write or read less at once",
        {"most_bytes": MOST_PAYLOAD_BYTES, "operation": operation_name(message_type)},
    )
