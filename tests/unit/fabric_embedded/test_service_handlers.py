"""What gRPC sees of an answer: status, details, limits; and what a log does not see."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from google.rpc import status_pb2
from support.fake_engine import FakePeer

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.http2.messages import BROKEN_OFF, COMPRESSED, NO_ROOM, TOO_LARGE, MessageRefused
from fabric_embedded.logs import JsonFormatter
from fabric_embedded.metrics import REGISTRY
from fabric_embedded.services.endorser import EndorserService
from fabric_embedded.services.handlers import (
    ConcurrencyLimit,
    NodeFailure,
    ServiceError,
    both_streams,
    server_stream,
    unary,
)
from fabric_embedded.services.status import StatusCode

pytestmark = pytest.mark.unit


class Call:
    """A call with these requests; keeps what a handler answered and ended it with."""

    def __init__(self, *requests: bytes | Exception) -> None:
        self.requests: list[Any] = [*(requests or (b"",)), None]
        self.code: StatusCode | None = None
        self.message = ""
        self.trailing: Any = ()
        self.sent: list[bytes] = []

    async def receive(self) -> Any:
        request = self.requests.pop(0)
        if isinstance(request, Exception):
            raise request
        return request

    async def send(self, message: bytes) -> None:
        self.sent.append(message)

    def respond(self, message: bytes) -> None:
        self.sent.append(message)
        self.code = StatusCode.OK

    def end(self, code: StatusCode, message: str = "", fields: Any = ()) -> None:
        self.code, self.message, self.trailing = code, message, fields


def _call(*requests: bytes | Exception) -> Any:
    return Call(*requests)


def limit(places: int = 5) -> ConcurrencyLimit:
    return ConcurrencyLimit("gateway.Gateway", places)


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def aborted(call: Any, places: int = 5) -> Any:
    answered: Any = Call()
    await unary(limit(places), common_pb2.Envelope, call)(answered)
    assert answered.sent == []
    return answered


async def test_details_travel_with_the_status() -> None:
    async def call(_request: Any) -> Any:
        raise ServiceError(StatusCode.ABORTED, "failed", (NodeFailure("127.0.0.1:1", "AMSP", "why"),))

    context = await aborted(call)
    assert (context.code, context.message) == (StatusCode.ABORTED, "failed")
    [(name, data)] = context.trailing
    assert name == "grpc-status-details-bin"
    status = status_pb2.Status.FromString(data)
    assert (status.code, status.message) == (StatusCode.ABORTED, "failed")
    detail = gateway_pb2.ErrorDetail()
    assert status.details[0].Unpack(detail)
    assert (detail.address, detail.msp_id, detail.message) == ("127.0.0.1:1", "AMSP", "why")


async def test_a_surprise_tells_neither_client_nor_log_what_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def call(_request: Any) -> Any:
        raise ValueError("patient Alice")

    with caplog.at_level(logging.DEBUG):
        context = await aborted(call)
    assert context.code == StatusCode.UNKNOWN
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert json.loads(lines[0])["error"] == "ValueError"
    assert "Alice" not in context.message + "".join(lines)


async def test_too_many_at_once_are_refused() -> None:
    async def call(_request: Any) -> Any:
        raise AssertionError("never called")

    before = sample("grpc_server_requests_over_limit_total", service="gateway.Gateway")
    context = await aborted(call, places=0)
    assert context.code == StatusCode.UNKNOWN
    assert context.message == "too many requests for /gateway.Gateway, exceeding concurrency limit (0)"
    assert sample("grpc_server_requests_over_limit_total", service="gateway.Gateway") == before + 1


async def test_calls_are_counted_by_how_they_ended_and_while_they_last() -> None:
    async def call(request: Any) -> Any:
        assert sample("grpc_server_open_calls", service="test.Counted") == 1
        if not request.payload:
            raise ServiceError(StatusCode.ABORTED, "failed")
        return request

    handler = unary(ConcurrencyLimit("test.Counted", 5), common_pb2.Envelope, call, "Call")
    for payload in (b"1", b"2"):
        await handler(_call(common_pb2.Envelope(payload=payload).SerializeToString()))
    await handler(_call(b""))

    def ended(code: str) -> float:
        labels = {"service": "test.Counted", "method": "Call", "code": code}
        return sample("grpc_server_requests_completed_total", **labels)

    assert (ended("OK"), ended("ABORTED")) == (2, 1)
    assert sample("grpc_server_open_calls", service="test.Counted") == 0


async def test_places_are_given_back() -> None:
    async def call(_request: Any) -> Any:
        return common_pb2.Envelope()

    handler = unary(limit(1), common_pb2.Envelope, call)
    for _ in range(3):
        answered = _call(b"")
        await handler(answered)
        assert (answered.sent, answered.code) == ([b""], StatusCode.OK)


async def test_a_call_without_a_request_is_refused() -> None:
    async def call(_request: Any) -> Any:
        raise AssertionError("never called")

    context = _call()
    context.requests = [None]
    await unary(limit(), common_pb2.Envelope, call)(context)
    assert (context.code, context.message) == (
        StatusCode.UNKNOWN,
        "EOF",
    )


async def test_streams_are_refused_too() -> None:
    async def failing(_requests: Any) -> Any:
        yield common_pb2.Envelope(payload=b"1")
        raise ServiceError(StatusCode.UNIMPLEMENTED, "no more")

    for handler in (
        server_stream(limit(), common_pb2.Envelope, failing),
        both_streams(limit(), common_pb2.Envelope, failing),
    ):
        context = _call()
        await handler(context)
        assert context.sent == [common_pb2.Envelope(payload=b"1").SerializeToString()]
        assert context.code == StatusCode.UNIMPLEMENTED


async def _every(requests: Any) -> Any:
    async for request in requests:
        yield request


async def test_bytes_that_are_no_message_are_refused_as_grpc_go_refuses_them() -> None:
    async def refused(_request: Any) -> Any:
        raise AssertionError("it must not be called")

    context, parsing = _call(b"\xff"), "proto: cannot parse invalid wire-format data"
    await unary(limit(), common_pb2.Envelope, refused)(context)
    assert (context.code, context.message) == (
        StatusCode.INTERNAL,
        f"grpc: error unmarshalling request: {parsing}",
    )
    for make in (server_stream, both_streams):
        context = _call(b"\xff")
        await make(limit(), common_pb2.Envelope, _every)(context)
        assert context.sent == []
        assert (context.code, context.message) == (
            StatusCode.INTERNAL,
            f"grpc: failed to unmarshal the received message: {parsing}",
        )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (TOO_LARGE, StatusCode.RESOURCE_EXHAUSTED),
        (NO_ROOM, StatusCode.RESOURCE_EXHAUSTED),
        (COMPRESSED, StatusCode.UNIMPLEMENTED),
        (BROKEN_OFF, StatusCode.INTERNAL),
    ],
)
async def test_messages_that_cannot_be_received_are_refused(kind: str, code: StatusCode) -> None:
    before = sample("grpc_server_refused_for_memory_total")
    for make in (unary, server_stream, both_streams):
        context = _call(MessageRefused(kind, "why"))
        await make(limit(), common_pb2.Envelope, _every)(context)
        assert (context.code, context.message, context.sent) == (code, "why", [])
    assert sample("grpc_server_refused_for_memory_total") == before + 3 * (kind == NO_ROOM)


async def test_an_endorsers_refusal_has_no_code_of_its_own() -> None:
    peer = FakePeer("AMSP", lambda _: PeerRefusal("DENIED", "access denied: channel [c]", is_filter=False))
    with pytest.raises(ServiceError) as refusal:
        await EndorserService(peer).process(None)  # type: ignore[arg-type]
    assert refusal.value.status == StatusCode.UNKNOWN
    assert refusal.value.message == "access denied: channel [c]"


def test_a_log_line_is_json_with_its_fields() -> None:
    record = logging.makeLogRecord(
        {"name": "n", "msg": "ready", "levelname": "INFO", "height": 3, "odd": object()}
    )
    document = json.loads(JsonFormatter().format(record))
    assert {**document, "time": ""} == {
        "time": "",
        "level": "INFO",
        "logger": "n",
        "message": "ready",
        "height": 3,
        "odd": "object",
    }


def test_a_logged_exception_shows_its_type_alone() -> None:
    try:
        raise ValueError("patient Alice")
    except ValueError as error:
        surprise = (ValueError, error, error.__traceback__)
        record = logging.makeLogRecord({"msg": "failed", "exc_info": surprise})
    line = JsonFormatter().format(record)
    assert json.loads(line)["error"] == "ValueError"
    assert "Alice" not in line
