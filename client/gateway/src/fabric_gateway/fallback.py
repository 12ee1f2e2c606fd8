"""Several gateways behind one transport: while one does not answer, the next is asked.

What can be asked twice goes to the next gateway: evaluating, endorsing (the same proposal, so the same
transaction id), asking for a status and opening a stream. An envelope does so only where it never left this
machine: a gateway that broke off may have ordered it, and then its transaction id tells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

from fabric_gateway.failures import Outcome, StatusFailure
from fabric_gateway.transport import Method, Stream, Transport

_Answer = TypeVar("_Answer")

_NO_ANSWER = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})
_SHORTEST_SECONDS = 0.001


class FallbackTransport:
    """The transports of several gateways in order; the one that answered last is asked first."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        if not transports:
            raise ValueError("transports: got none, expected at least one")
        self._transports = tuple(transports)
        self._current = 0
        self._lock = threading.Lock()

    def evaluate(self, request: gateway_pb2.EvaluateRequest, timeout: float) -> gateway_pb2.EvaluateResponse:
        """Gateway.Evaluate."""
        return self._ask(lambda transport, rest: transport.evaluate(request, rest), timeout, _is_unanswered)

    def endorse(self, request: gateway_pb2.EndorseRequest, timeout: float) -> gateway_pb2.EndorseResponse:
        """Gateway.Endorse."""
        return self._ask(lambda transport, rest: transport.endorse(request, rest), timeout, _is_unanswered)

    def submit(self, request: gateway_pb2.SubmitRequest, timeout: float) -> gateway_pb2.SubmitResponse:
        """Gateway.Submit."""
        return self._ask(lambda transport, rest: transport.submit(request, rest), timeout, _was_not_sent)

    def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest, timeout: float
    ) -> gateway_pb2.CommitStatusResponse:
        """Gateway.CommitStatus."""
        return self._ask(
            lambda transport, rest: transport.commit_status(request, rest), timeout, _is_unanswered
        )

    def start(
        self, method: Method, request: Any, timeout: float, answered: Callable[[Outcome], None]
    ) -> None:
        """Make a call without waiting; the next gateway is asked where the blocking call would ask it."""
        end = time.monotonic() + timeout
        may_ask_next = _was_not_sent if method == "submit" else _is_unanswered

        def ask(remaining: int) -> None:
            index = self._current

            def take(outcome: Outcome) -> None:
                if isinstance(outcome, StatusFailure):
                    self._note(index, outcome)
                    if remaining and time.monotonic() < end and may_ask_next(outcome):
                        ask(remaining - 1)
                        return
                answered(outcome)

            seconds = max(end - time.monotonic(), _SHORTEST_SECONDS)
            self._transports[index].start(method, request, seconds, take)

        ask(len(self._transports) - 1)

    def chaincode_events(self, request: gateway_pb2.SignedChaincodeEventsRequest) -> Stream:
        """Gateway.ChaincodeEvents."""
        return self._stream(lambda transport: transport.chaincode_events(request))

    def deliver(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.Deliver."""
        return self._stream(lambda transport: transport.deliver(envelope))

    def deliver_filtered(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.DeliverFiltered."""
        return self._stream(lambda transport: transport.deliver_filtered(envelope))

    def deliver_with_private_data(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.DeliverWithPrivateData."""
        return self._stream(lambda transport: transport.deliver_with_private_data(envelope))

    def close(self) -> None:
        """Close every transport."""
        for transport in self._transports:
            transport.close()

    def turn_from(self, index: int) -> None:
        """Ask the gateway after `index` first from now on, unless somebody else turned from it already."""
        with self._lock:
            if self._current == index:
                self._current = (index + 1) % len(self._transports)

    def _note(self, index: int, failure: StatusFailure) -> None:
        if failure.code in _NO_ANSWER:
            self.turn_from(index)

    def _ask(
        self,
        call: Callable[[Transport, float], _Answer],
        timeout: float,
        may_ask_next: Callable[[StatusFailure], bool],
    ) -> _Answer:
        end = time.monotonic() + timeout
        remaining = len(self._transports)
        while True:
            index = self._current
            remaining -= 1
            try:
                return call(self._transports[index], max(end - time.monotonic(), _SHORTEST_SECONDS))
            except StatusFailure as failure:
                self._note(index, failure)
                if not remaining or time.monotonic() >= end or not may_ask_next(failure):
                    raise

    def _stream(self, open_stream: Callable[[Transport], Stream]) -> Stream:
        return _TurningStream(self, open_stream)

    def open_current(self, open_stream: Callable[[Transport], Stream]) -> tuple[int, Stream]:
        """Open a stream at the gateway that is asked first; also its place among the gateways."""
        index = self._current
        return index, open_stream(self._transports[index])

    def __len__(self) -> int:
        return len(self._transports)


class _TurningStream:
    """A stream that the next gateway is asked for while it has brought nothing, as with other calls.

    If it breaks off later, whoever reads it knows where it stopped, and opens it again: at the next gateway.
    """

    def __init__(self, transports: FallbackTransport, open_stream: Callable[[Transport], Stream]) -> None:
        self._transports = transports
        self._open_stream = open_stream
        self._lock = threading.Lock()
        self._cancelled = False
        self._index, self._stream = transports.open_current(open_stream)

    def __iter__(self) -> Iterator[Any]:
        remaining = len(self._transports) - 1
        brought = False
        while True:
            try:
                for response in self._stream:
                    brought = True
                    yield response
                return
            except StatusFailure as failure:
                if failure.code in _NO_ANSWER:
                    self._transports.turn_from(self._index)
                if brought or not remaining or not _is_unanswered(failure) or not self._reopened():
                    raise
            remaining -= 1

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            self._stream.cancel()

    def _reopened(self) -> bool:
        with self._lock:
            if self._cancelled:
                return False
            self._index, self._stream = self._transports.open_current(self._open_stream)
            return True


def _is_unanswered(failure: StatusFailure) -> bool:
    return failure.code == "UNAVAILABLE"


def _was_not_sent(failure: StatusFailure) -> bool:
    return failure.not_sent
