"""The chaincode protocol on one stream: handshake, then many transactions at once.

    created ──REGISTERED──► established ──READY──► ready ──TRANSACTION, INIT, RESPONSE, ERROR──► ready

``KEEPALIVE`` is echoed in every state. In the handshake anything else ends the stream; in ``ready`` it is
logged and dropped, for the transactions that run are not to blame. Nothing that a peer sends ends the service
(fabric-behaviour §5.1).
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fabric_shim.errors import ConversationError
from fabric_shim.messages import (
    ERROR,
    INIT,
    KEEPALIVE,
    READY,
    REGISTERED,
    RESPONSE,
    TRANSACTION,
    Negotiated,
    completed,
    operation_name,
    read_ready,
    register,
)
from fabric_shim.metrics import Metrics
from fabric_shim.router import Chaincode
from fabric_shim.stream import Stream
from fabric_shim.transactions import Run, refusal

_log = logging.getLogger("fabric_shim")
_PATIENCE_SECONDS = 5.0
_MOST_LATE_ANSWERS = 10_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a service allows a transaction.

    Attributes:
        time_window_seconds: largest distance of a proposal's time from the service's clock.
        execute_timeout_seconds: longest run; the peer's own limit (``executetimeout``) is 30 s by default.
        concurrent_transactions: most transactions at once on one stream; more wait.
        waiting_transactions: most that wait on one stream, first come first served; more are refused.
    """

    time_window_seconds: float = 60.0
    execute_timeout_seconds: float = 60.0
    concurrent_transactions: int = 5000
    waiting_transactions: int = 1000


class State(enum.Enum):
    """Where the handshake is."""

    CREATED = "created"
    ESTABLISHED = "established"
    READY = "ready"


class Conversation:
    """One peer's stream.

    Args:
        stream: the connection; whoever made it closes it.
        chaincode: runs the transactions.
        package_id: the chaincode's package id, ``label:hash``.
        limits: see ``Limits``.
        clock: seconds since 1970, for the time guard alone.
        when_ready: called when the peer has taken the registration.
        metrics: what is counted; left out, counters of its own.
    """

    def __init__(
        self,
        stream: Stream,
        chaincode: Chaincode,
        *,
        package_id: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        when_ready: Callable[[], None] = lambda: None,
        metrics: Metrics | None = None,
    ) -> None:
        self.state = State.CREATED
        self.limits = limits or Limits()
        self.clock = clock
        self.chaincode = chaincode
        self.negotiated = Negotiated()
        self.metrics = metrics or Metrics()
        self._stream = stream
        self._package_id = package_id
        self._when_ready = when_ready
        self._runs: dict[tuple[str, str], Run] = {}
        self._waiting: dict[tuple[str, str], tuple[float, Any]] = {}
        self._late: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._outgoing: deque[Any] = deque()
        self._something_to_send = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._draining = False

    @property
    def running(self) -> int:
        """How many transactions run now."""
        return len(self._runs)

    async def run(self) -> None:
        """Talk until the peer closes the stream, then cancel what still runs.

        Raises:
            ConversationError: the peer broke the protocol; the stream must be closed.
        """
        sender = asyncio.create_task(self._send_all())
        receiver = asyncio.create_task(self._receive_all())
        try:
            self.post(register(self._package_id))
            # A failed send ends the conversation as a failed receive does.
            done, _ = await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            if self.state is State.READY:
                self.metrics.streams -= 1
            await self._stop(sender, receiver)

    async def drain(self, seconds: float) -> None:
        """Refuse new and waiting transactions; wait, at most ``seconds``, until running ones are answered."""
        self._draining = True
        for _, message in self._take_all_waiting():
            self._refuse_stopping(message)
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_sent.wait(), seconds)

    def post(self, message: Any) -> None:
        """Queue a message for sending, in order."""
        self._outgoing.append(message)
        self._all_sent.clear()
        self._something_to_send.set()

    def ask(self, message: Any) -> None:
        """Queue a request of a transaction."""
        self.metrics.asked(message.type)
        self.post(message)

    def finished(self, run: Run) -> None:
        """Forget a transaction that has been answered."""
        if self._runs.get(run.key) is run:
            del self._runs[run.key]
        late = run.exchange.late
        if late is not None and not late.done():
            if len(self._late) >= _MOST_LATE_ANSWERS:
                # A peer that never answers; the oldest of its transactions is the least likely to come again.
                del self._late[next(iter(self._late))]
            self._late[run.key] = late
        while self._waiting and len(self._runs) < self.limits.concurrent_transactions:
            self._start_waiting()

    def late_answer(self, key: tuple[str, str]) -> asyncio.Future[None] | None:
        """Done once the peer has answered the last request of an earlier run; ``None`` if it owes nothing.

        A run must not ask before: the peer drops a second request of a transaction (fabric-behaviour §5.2),
        and the answer to the first would be taken for one to the second.
        """
        return self._late.get(key)

    async def _send_all(self) -> None:
        outgoing, something_to_send = self._outgoing, self._something_to_send
        while True:
            await something_to_send.wait()
            while outgoing:
                messages = list(outgoing)
                outgoing.clear()
                await self._stream.send(messages)
            something_to_send.clear()
            self._all_sent.set()

    async def _receive_all(self) -> None:
        while (message := await self._stream.receive()) is not None:
            self.handle(message)

    def handle(self, message: Any) -> None:
        """Take one message of the peer.

        Raises:
            ConversationError: the message is not allowed in this state.
        """
        message_type = message.type
        if message_type == KEEPALIVE:
            self.post(message)
        elif self.state is State.READY:
            self._handle_ready(message_type, message)
        elif self.state is State.CREATED and message_type == REGISTERED:
            self.state = State.ESTABLISHED
        elif self.state is State.ESTABLISHED and message_type == READY:
            self.negotiated = read_ready(message.payload)
            self.state = State.READY
            self.metrics.streams += 1
            self._when_ready()
        else:
            raise ConversationError(f"got {operation_name(message_type)} in state {self.state.value}")

    def _handle_ready(self, message_type: int, message: Any) -> None:
        if message_type in (RESPONSE, ERROR):
            key = (message.channel_id, message.txid)
            run, late = self._runs.get(key), self._late.pop(key, None)
            if late is not None and not late.done():
                late.set_result(None)
                _log.warning("dropped the late answer to transaction %s, which has ended", _id(message))
            elif run is None or not run.exchange.deliver(message):
                # Usual after a time-out here: the peer's answer comes when nobody waits any more.
                _log.warning("dropped an answer that no request waits for, transaction %s", _id(message))
        elif message_type in (TRANSACTION, INIT):
            self._start(message)
        else:
            _log.warning("dropped %s in state ready", operation_name(message_type))

    def _start(self, message: Any) -> None:
        key = (message.channel_id, message.txid)
        running = self._runs.get(key)
        if running is not None:
            # The peer has given the first run up, but may still answer its requests: trust neither run.
            running.cancel()
            self._refuse(message, "TRANSACTION_RUNNING", "the transaction is running here already")
        elif self._draining:
            self._refuse_stopping(message)
        elif len(self._runs) >= self.limits.concurrent_transactions:
            self._let_wait(key, message)
        else:
            self._run(key, message)

    def _run(self, key: tuple[str, str], message: Any) -> None:
        self._runs[key] = run = Run(self, message)
        run.task = asyncio.create_task(run.execute())

    def _let_wait(self, key: tuple[str, str], message: Any) -> None:
        # The same id again: the peer has given the first up, which has not run yet.
        if self._waiting.pop(key, None) is not None:
            self.metrics.waiting -= 1
        if len(self._waiting) >= self.limits.waiting_transactions:
            self._refuse(message, "SERVICE_BUSY", "the chaincode service runs as much as it may; try later")
            return
        self._waiting[key] = (time.monotonic(), message)
        self.metrics.waiting += 1

    def _start_waiting(self) -> None:
        key = next(iter(self._waiting))
        since, message = self._waiting.pop(key)
        self.metrics.waiting -= 1
        if time.monotonic() - since < self.limits.execute_timeout_seconds:
            self._run(key, message)
        else:
            # Nobody waits for its answer any more; those behind it may still be in time.
            self._refuse(
                message, "TRANSACTION_TIMEOUT", "the transaction waited longer than the service allows"
            )

    def _take_all_waiting(self) -> list[tuple[float, Any]]:
        taken = list(self._waiting.values())
        self._waiting.clear()
        self.metrics.waiting -= len(taken)
        return taken

    def _refuse_stopping(self, message: Any) -> None:
        self._refuse(message, "SERVICE_STOPPING", "the chaincode service is stopping; ask another peer")

    def _refuse(self, message: Any, code: str, text: str) -> None:
        transaction_id = _id(message)
        self.metrics.refused(code)
        _log.warning(
            "refused transaction %s: %s", transaction_id, code, extra={"transaction_id": transaction_id}
        )
        outcome = refusal(code, text)
        self.post(
            completed(
                message.channel_id, message.txid, status=outcome.status, message=outcome.message, payload=b""
            )
        )

    async def _stop(self, *tasks: asyncio.Task[None]) -> None:
        self._take_all_waiting()
        runs = list(self._runs.values())
        for run in runs:
            run.cancel()
        for task in tasks:
            task.cancel()
        everything = [*tasks, *(run.task for run in runs if run.task is not None)]
        # A contract that swallows its cancellation must not keep the stream open for ever.
        await asyncio.wait(everything, timeout=_PATIENCE_SECONDS)
        self._runs.clear()


def _id(message: Any) -> str:
    # A peer's text goes into a log line: only what a transaction id can hold.
    txid: str = message.txid[:64]
    return txid if txid.isalnum() else "without id"
