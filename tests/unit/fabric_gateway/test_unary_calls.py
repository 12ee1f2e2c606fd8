"""What becomes of the operations of a call that nobody waits for; no connection is made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from grpc._cython import cygrpc

from fabric_gateway import unary_calls
from fabric_gateway.failures import StatusFailure
from fabric_gateway.unary_calls import is_known, starting

NO_CONNECTION = "failed to connect to all addresses; last error: refused"


@dataclass
class Message:
    """A received message, or none."""

    data: bytes | None

    def message(self) -> bytes | None:
        return self.data


@dataclass
class Ended:
    """A call's status."""

    number: int = 0
    text: Any = ""

    def code(self) -> int:
        return self.number

    def details(self) -> Any:
        return self.text

    def trailing_metadata(self) -> tuple[Any, ...]:
        return ()


@dataclass
class Event:
    batch_operations: tuple[Any, ...]


class Method:
    """A stub's method as grpcio has it, on a channel that answers with one event."""

    _method = b"/gateway.Gateway/Evaluate"
    _context = None
    _registered_call_handle = None

    def __init__(self, *operations: Any) -> None:
        self.event = Event(operations)
        self.finished: list[bool] = []

    def _managed_call(
        self,
        flags: int,
        method: bytes,
        host: Any,
        deadline: float,
        metadata: Any,
        credentials: Any,
        operations: Any,
        event_handler: Callable[[Any], bool],
        context: Any,
        _registered_call_handle: Any,
    ) -> None:
        self.finished.append(event_handler(self.event))


def outcome_of(*operations: Any) -> Any:
    method, outcomes = Method(*operations), list[Any]()
    starting(method, gateway_pb2.EvaluateResponse)(gateway_pb2.EvaluateRequest(), 1.0, outcomes.append)
    assert method.finished == [True]
    (outcome,) = outcomes
    return outcome


def test_the_locked_grpcio_is_known() -> None:
    with grpc.insecure_channel("localhost:1") as channel:
        assert is_known(gateway_pb2_grpc.GatewayStub(channel).Submit)


def test_methods_of_other_channels_are_called_by_futures() -> None:
    class Interceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            raise AssertionError("no call is made")

    with grpc.insecure_channel("localhost:1") as channel:
        stub = gateway_pb2_grpc.GatewayStub(grpc.intercept_channel(channel, Interceptor()))
        assert not is_known(stub.Submit)


def test_methods_that_are_started_in_another_way_are_not_known() -> None:
    class Changed(Method):
        def _managed_call(self, flags: int, method: bytes) -> None:  # type: ignore[override]
            raise AssertionError("no call is made")

    assert is_known(Method())
    assert not is_known(Changed())


def test_a_response_is_the_outcome() -> None:
    response = gateway_pb2.EvaluateResponse()
    response.result.payload = b"value"
    assert outcome_of(Message(response.SerializeToString()), Ended()) == response


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ((Message(b"\xff"), Ended()), "INTERNAL"),
        ((Message(None), Ended()), "INTERNAL"),
        ((Ended(),), "UNKNOWN"),
        ((), "UNKNOWN"),
        ((Message(None), Ended(10, "conflict")), "ABORTED"),
        ((Message(None), Ended(10, b"conf\xfflict")), "ABORTED"),
        ((Message(None), Ended(99, None)), "UNKNOWN"),
        # A response that a failed call brought is none.
        ((Message(b""), Ended(14, "gone")), "UNAVAILABLE"),
    ],
)
def test_whatever_is_no_response_is_a_failure(operations: tuple[Any, ...], code: str) -> None:
    failure = outcome_of(*operations)
    assert isinstance(failure, StatusFailure)
    assert (failure.code, failure.not_sent) == (code, False)


def test_a_call_that_found_no_connection_was_not_sent() -> None:
    assert outcome_of(Message(None), Ended(14, NO_CONNECTION)).not_sent


def test_what_takes_an_outcome_and_fails_ends_no_other_call(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Any) -> None:
        raise ValueError("patient 17")

    method = Method(Message(b""), Ended())
    with caplog.at_level(logging.ERROR):
        starting(method, gateway_pb2.EvaluateResponse)(gateway_pb2.EvaluateRequest(), 1.0, fail)
    assert method.finished == [True]
    assert [record.getMessage() for record in caplog.records] == [
        "what takes a call's outcome failed (ValueError)"
    ]


def test_a_call_of_a_parent_process_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forked(Method):
        def _managed_call(self, *given: Any, **named: Any) -> None:
            epoch = cygrpc.get_fork_epoch()
            monkeypatch.setattr(unary_calls.cygrpc, "get_fork_epoch", lambda: epoch + 1)
            self.finished.append(given[7](self.event))

    method = Forked(Message(b""), Ended())
    unary_calls._starting_directly(method, gateway_pb2.EvaluateResponse)(
        gateway_pb2.EvaluateRequest(), 1.0, lambda _: None
    )
    assert method.finished == [False]
