"""Many calls in flight at once, as many as may be, without a thread for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from types import TracebackType

from fabric_gateway.proposal import Proposal
from fabric_gateway.steps import Steps, start
from fabric_gateway.submission import submitting
from fabric_gateway.transport import Transport


class InFlight:
    """Submits and evaluates in the background, at most `limit` at once; made by `Contract.in_flight`.

    A call waits while `limit` others are on their way. Answers are worked on in the connection's one thread,
    signers and the futures' callbacks included: callbacks must not wait. Leaving the `with` block waits for
    everything on its way; leaving it by an exception does not, and closing the gateway ends what is left.
    """

    def __init__(self, new_proposal: Callable[..., Proposal], transport: Transport, limit: int) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ValueError(f"limit: got {limit!r}, expected a number, 1 or more")
        self._new_proposal = new_proposal
        self._transport = transport
        self._limit = limit
        self._open = 0
        self._changed = threading.Condition()

    def submit(
        self,
        function: str,
        *arguments: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> Future[bytes]:
        """As `Contract.submit` without a retry: the future has its result or its error."""
        return self._start(
            lambda: submitting(
                self._new_proposal(
                    function,
                    *arguments,
                    transient=transient,
                    endorsing_organizations=endorsing_organizations,
                    proposal_time=proposal_time,
                )
            )
        )

    def evaluate(
        self,
        function: str,
        *arguments: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> Future[bytes]:
        """As `Contract.evaluate`: the future has its result or its error."""
        return self._start(
            lambda: self._new_proposal(
                function,
                *arguments,
                transient=transient,
                endorsing_organizations=endorsing_organizations,
                proposal_time=proposal_time,
            )._evaluating()
        )

    def wait(self) -> None:
        """Wait until nothing is on its way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open)

    def __enter__(self) -> InFlight:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.wait()

    def _start(self, steps: Callable[[], Steps[bytes]]) -> Future[bytes]:
        # Made once there is room: a proposal's time is when it is sent.
        with self._changed:
            self._changed.wait_for(lambda: self._open < self._limit)
            self._open += 1
        try:
            future = start(self._transport, steps())
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(lambda _: self._leave())
        return future

    def _leave(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()
