"""Many calls in flight at once, as many as may be, without a thread for each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from types import TracebackType

from fabric_gateway.proposal import Argument, Proposal, argument_bytes
from fabric_gateway.steps import Steps, start
from fabric_gateway.submission import submitting
from fabric_gateway.transport import Transport

_Job = Callable[[], Steps[bytes]]


class InFlight:
    """Submits and evaluates in the background, at most `limit` at once; made by `Contract.in_flight`.

    While `limit` calls are on their way, as many again are kept until there is room, and then a call waits.
    Answers are worked on in the connection's one thread, signers and the futures' callbacks included:
    callbacks must not wait. Leaving the `with` block waits for everything; leaving it by an exception waits
    for nothing and cancels what has not been sent, and closing the gateway ends what is left.
    """

    def __init__(self, new_proposal: Callable[..., Proposal], transport: Transport, limit: int) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ValueError(f"limit: got {limit!r}, expected a number, 1 or more")
        self._new_proposal = new_proposal
        self._transport = transport
        self._limit = limit
        self._open = 0
        self._kept: deque[tuple[Future[bytes], _Job]] = deque()
        self._sending = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def submit(
        self,
        function: str,
        *arguments: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> Future[bytes]:
        """As `Contract.submit` without a retry: the future has its result or its error.

        Raises:
            TypeError: an argument that is neither bytes nor text.
        """
        make = self._making(function, arguments, transient, endorsing_organizations, proposal_time)
        return self._start(lambda: submitting(make()))

    def evaluate(
        self,
        function: str,
        *arguments: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> Future[bytes]:
        """As `Contract.evaluate`: the future has its result or its error.

        Raises:
            TypeError: an argument that is neither bytes nor text.
        """
        make = self._making(function, arguments, transient, endorsing_organizations, proposal_time)
        return self._start(lambda: make()._evaluating())

    def wait(self) -> None:
        """Wait until nothing is on its way or kept."""
        with self._lock:
            self._changed.wait_for(lambda: not self._open and not self._kept)

    def __enter__(self) -> InFlight:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.wait()
            return
        with self._lock:
            kept = [future for future, _ in self._kept]
            self._kept.clear()
        for future in kept:
            future.cancel()

    def _making(
        self,
        function: str,
        arguments: Sequence[Argument],
        transient: Mapping[str, bytes] | None,
        endorsing_organizations: Sequence[str],
        proposal_time: datetime | None,
    ) -> Callable[[], Proposal]:
        # What is asked for is fixed now; the proposal is made, and timed, when it is sent.
        return partial(
            self._new_proposal,
            function,
            *[argument_bytes(argument) for argument in arguments],
            transient=None if transient is None else dict(transient),
            endorsing_organizations=tuple(endorsing_organizations),
            proposal_time=proposal_time,
        )

    def _start(self, job: _Job) -> Future[bytes]:
        future: Future[bytes] = Future()
        with self._lock:
            self._changed.wait_for(lambda: len(self._kept) < self._limit)
            self._kept.append((future, job))
        self._send()
        return future

    def _send(self) -> None:
        """Send what is kept while there is room; one thread at a time, others leave it to that one."""
        while (next_one := self._take()) is not None:
            future, job = next_one
            future.add_done_callback(self._ended)
            try:
                if future.set_running_or_notify_cancel():
                    start(self._transport, job(), future)
            except BaseException as error:
                if not future.done():
                    future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                self._sending = False

    def _take(self) -> tuple[Future[bytes], _Job] | None:
        with self._lock:
            if self._sending or not self._kept or self._open >= self._limit:
                return None
            self._sending = True
            self._open += 1
            taken = self._kept.popleft()
            if len(self._kept) == self._limit // 2:
                # Not for each place that gets free: who waits then makes many calls at once.
                self._changed.notify_all()
            return taken

    def _ended(self, _: Future[bytes]) -> None:
        with self._lock:
            self._open -= 1
            if not self._open and not self._kept:
                self._changed.notify_all()
        self._send()
