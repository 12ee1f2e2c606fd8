"""From plain coroutines to handlers of gRPC calls: limits, Fabric's status codes and details, logs.

What reaches a log is method, status code and, of a surprise, type and place: never a message's content.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.gateway import gateway_pb2
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import status_pb2  # type: ignore[import-untyped]

from fabric_embedded import metrics
from fabric_embedded.errors import EmbeddedError
from fabric_embedded.http2.messages import BROKEN_OFF, COMPRESSED, NO_ROOM, TOO_LARGE, MessageRefused
from fabric_embedded.http2.server import Handler, ServerCall
from fabric_embedded.services.status import StatusCode
from fabric_protocol.errors import GO_DECODING

_LOG = logging.getLogger(__name__)
_OK = StatusCode.OK.name
_REFUSALS = {
    TOO_LARGE: StatusCode.RESOURCE_EXHAUSTED,
    NO_ROOM: StatusCode.RESOURCE_EXHAUSTED,
    COMPRESSED: StatusCode.UNIMPLEMENTED,
    BROKEN_OFF: StatusCode.INTERNAL,
}

# grpc-go's answers to bytes that are no message; Python's library would answer UNKNOWN and name our types.
_UNARY_MALFORMED = "grpc: error unmarshalling request"
_STREAM_MALFORMED = "grpc: failed to unmarshal the received message"

# And to calls that end without a message.
_UNARY_EMPTY = (StatusCode.UNKNOWN, "EOF")
_STREAM_EMPTY = (
    StatusCode.INTERNAL,
    "cardinality violation: received no request message from non-client-streaming RPC",
)


@dataclass(frozen=True)
class NodeFailure:
    """Why one node failed: Fabric's `gateway.ErrorDetail`."""

    address: str
    msp_id: str
    message: str


class ServiceError(EmbeddedError):
    """An answer other than success.

    Parameters:
        status: gRPC status code.
        message: Fabric's text.
        failures: nodes that failed, for the status's details.
    """

    def __init__(self, status: StatusCode, message: str, failures: tuple[NodeFailure, ...] = ()) -> None:
        super().__init__(status.name, message)
        self.status = status
        self.failures = failures


@dataclass
class ConcurrencyLimit:
    """How many calls of one service may be open at once (`internal/peer/node/grpc_limiters.go`).

    `with` it a call holds its place.
    """

    service: str
    limit: int
    _open: int = field(default=0, init=False)

    def __enter__(self) -> None:
        """Hold a place for one call.

        Raises:
            ServiceError: UNKNOWN, as Fabric's limiter returns a plain error.
        """
        if self._open >= self.limit:
            metrics.count_over_limit(self.service)
            message = f"too many requests for /{self.service}, exceeding concurrency limit ({self.limit})"
            raise ServiceError(StatusCode.UNKNOWN, message)
        self._open += 1
        metrics.count_open(self.service, 1)

    def __exit__(self, *_: object) -> None:
        self._open -= 1
        metrics.count_open(self.service, -1)


def unary(
    limit: ConcurrencyLimit, request_type: Any, call: Callable[[Any], Awaitable[Any]], method: str = ""
) -> Handler:
    """Handler of a method with one request and one response message; `method` is its name."""

    async def handle(connected: ServerCall) -> None:
        try:
            request = await _one(request_type, connected, _UNARY_MALFORMED, _UNARY_EMPTY)
            with limit:
                response = await call(request)
        except Exception as error:
            _refuse(connected, limit.service, method, error)
        else:
            connected.respond(response.SerializeToString())
            metrics.count_completed(limit.service, method, _OK)

    return handle


def server_stream(
    limit: ConcurrencyLimit, request_type: Any, call: Callable[[Any], AsyncIterator[Any]], method: str = ""
) -> Handler:
    """Handler of a method with one request and a stream of response messages; `method` is its name."""

    async def handle(connected: ServerCall) -> None:
        try:
            request = await _one(request_type, connected, _STREAM_MALFORMED, _STREAM_EMPTY)
            with limit:
                await _send_all(call(request), connected)
        except Exception as error:
            _refuse(connected, limit.service, method, error)
        else:
            connected.end(StatusCode.OK)
            metrics.count_completed(limit.service, method, _OK)

    return handle


def both_streams(
    limit: ConcurrencyLimit,
    request_type: Any,
    call: Callable[[AsyncIterator[Any]], AsyncIterator[Any]],
    method: str = "",
) -> Handler:
    """Handler of a method with streams both ways; responses are messages, or bytes that are one already.

    `method` is its name.
    """

    async def handle(connected: ServerCall) -> None:
        try:
            with limit:
                await _send_all(call(_each_parsed(request_type, connected)), connected)
        except Exception as error:
            _refuse(connected, limit.service, method, error)
        else:
            connected.end(StatusCode.OK)
            metrics.count_completed(limit.service, method, _OK)

    return handle


@dataclass(frozen=True)
class Service:
    """A service from its methods, by name."""

    name: str
    methods: Mapping[str, Handler]

    @property
    def handlers(self) -> dict[str, Handler]:
        """The handlers by path."""
        return {f"/{self.name}/{method}": handler for method, handler in self.methods.items()}


async def _send_all(responses: AsyncIterator[Any], connected: ServerCall) -> None:
    """Send what comes; whoever makes it is told at once when the call ends before it does."""
    try:
        async for response in responses:
            await connected.send(response if isinstance(response, bytes) else response.SerializeToString())
    finally:
        close = getattr(responses, "aclose", None)
        if close is not None:
            await close()


def _parsed(request_type: Any, data: bytes | bytearray, refusal: str) -> Any:
    try:
        return request_type.FromString(data)
    except DecodeError as error:
        raise ServiceError(StatusCode.INTERNAL, f"{refusal}: {GO_DECODING}") from error


async def _received(connected: ServerCall) -> bytes | bytearray | None:
    try:
        return await connected.receive()
    except MessageRefused as refusal:
        if refusal.kind == NO_ROOM:
            metrics.count_refused_for_memory()
            _LOG.warning("a message is refused, as there are too many large ones")
        raise ServiceError(_REFUSALS[refusal.kind], refusal.message) from refusal


async def _one(
    request_type: Any, connected: ServerCall, refusal: str, missing: tuple[StatusCode, str]
) -> Any:
    data = await _received(connected)
    if data is None:
        raise ServiceError(*missing)
    return _parsed(request_type, data, refusal)


async def _each_parsed(request_type: Any, connected: ServerCall) -> AsyncIterator[Any]:
    while (data := await _received(connected)) is not None:
        request = _parsed(request_type, data, _STREAM_MALFORMED)
        # A large message is not to be kept while the next one is waited for.
        del data
        yield request
        del request


def _refuse(connected: ServerCall, name: str, method: str, error: Exception) -> None:
    """End a call with an error."""
    details: tuple[tuple[str, bytes], ...] = ()
    if isinstance(error, ServiceError):
        status, message = error.status, error.message
        _LOG.info("call refused", extra={"service": name, "status": status.name})
        details = _details(error)
    else:
        status = StatusCode.UNKNOWN
        message = f"internal error ({type(error).__name__}); see the engine's log"
        # The message of a surprise may quote what a client sent: type and place have to do.
        place = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        _LOG.error(
            "call failed",
            extra={"service": name, "error": type(error).__name__, "place": " < ".join(reversed(place))},
        )
    metrics.count_completed(name, method, status.name)
    connected.end(status, message, details)


def _details(error: ServiceError) -> tuple[tuple[str, bytes], ...]:
    """The status with its details, as gRPC carries them beside code and message."""
    if not error.failures:
        return ()
    details = []
    for failure in error.failures:
        packed = any_pb2.Any()
        packed.Pack(
            gateway_pb2.ErrorDetail(address=failure.address, msp_id=failure.msp_id, message=failure.message)
        )
        details.append(packed)
    status = status_pb2.Status(code=error.status, message=error.message, details=details)
    return (("grpc-status-details-bin", status.SerializeToString()),)
