"""From plain coroutines to gRPC method handlers: concurrency limits, Fabric's status codes and details, logs.

What reaches a log is method, status code and, of a surprise, type and place: never a message's content.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from fabric_protos.gateway import gateway_pb2
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import status_pb2  # type: ignore[import-untyped]

from fabric_embedded import metrics
from fabric_embedded.errors import EmbeddedError, MemoryShortError
from fabric_embedded.services.receiving import receive
from fabric_protocol.errors import GO_DECODING

_LOG = logging.getLogger(__name__)
_OK = grpc.StatusCode.OK.name
MAX_MESSAGE_BYTES = 100 * 1024 * 1024
"""Fabric's limit for messages in both directions (`internal/pkg/comm/config.go`)."""

# grpc-go's answers to bytes that are no message; Python's library would answer UNKNOWN and name our types.
_UNARY_MALFORMED = "grpc: error unmarshalling request"
_STREAM_MALFORMED = "grpc: failed to unmarshal the received message"

# And to calls that end without a message.
_UNARY_EMPTY = (grpc.StatusCode.UNKNOWN, "EOF")
_STREAM_EMPTY = (
    grpc.StatusCode.INTERNAL,
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

    def __init__(self, status: grpc.StatusCode, message: str, failures: tuple[NodeFailure, ...] = ()) -> None:
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
            raise ServiceError(grpc.StatusCode.UNKNOWN, message)
        self._open += 1
        metrics.count_open(self.service, 1)

    def __exit__(self, *_: object) -> None:
        self._open -= 1
        metrics.count_open(self.service, -1)


def unary(
    limit: ConcurrencyLimit, request_type: Any, call: Callable[[Any], Awaitable[Any]], method: str = ""
) -> grpc.RpcMethodHandler:
    """Handler of a method with one request and one response message; `method` is its name."""

    async def handle(_requests: object, context: Any) -> Any:
        try:
            request = await _one(request_type, context, _UNARY_MALFORMED, _UNARY_EMPTY)
            with limit:
                response = await call(request)
        except Exception as error:
            _refuse(context, limit.service, method, error)
            return None
        metrics.count_completed(limit.service, method, _OK)
        return response

    # To gRPC a stream of requests: a handler that is called before its message is there can refuse it.
    return grpc.stream_unary_rpc_method_handler(handle, None, _serialize)


def server_stream(
    limit: ConcurrencyLimit, request_type: Any, call: Callable[[Any], AsyncIterator[Any]], method: str = ""
) -> grpc.RpcMethodHandler:
    """Handler of a method with one request and a stream of response messages; `method` is its name."""

    async def handle(_requests: object, context: Any) -> AsyncIterator[Any]:
        try:
            request = await _one(request_type, context, _STREAM_MALFORMED, _STREAM_EMPTY)
            with limit:
                async for response in call(request):
                    yield response
        except Exception as error:
            _refuse(context, limit.service, method, error)
        else:
            metrics.count_completed(limit.service, method, _OK)

    return grpc.stream_stream_rpc_method_handler(handle, None, _serialize)


def both_streams(
    limit: ConcurrencyLimit,
    request_type: Any,
    call: Callable[[AsyncIterator[Any]], AsyncIterator[Any]],
    method: str = "",
) -> grpc.RpcMethodHandler:
    """Handler of a method with streams both ways; responses are messages, or bytes that are one already.

    `method` is its name.
    """

    async def handle(_requests: object, context: Any) -> AsyncIterator[Any]:
        try:
            with limit:
                async for response in call(_each_parsed(request_type, context)):
                    yield response
        except Exception as error:
            _refuse(context, limit.service, method, error)
        else:
            metrics.count_completed(limit.service, method, _OK)

    return grpc.stream_stream_rpc_method_handler(handle, None, _serialize)


def service(name: str, methods: dict[str, grpc.RpcMethodHandler]) -> grpc.GenericRpcHandler:
    """A service from its methods."""
    return grpc.method_handlers_generic_handler(name, methods)


def _parsed(request_type: Any, data: bytes, refusal: str) -> Any:
    try:
        return request_type.FromString(data)
    except DecodeError as error:
        raise ServiceError(grpc.StatusCode.INTERNAL, f"{refusal}: {GO_DECODING}") from error


async def _received(context: Any) -> bytes | None:
    try:
        return await receive(context.read)
    except MemoryShortError as error:
        raise ServiceError(grpc.StatusCode.RESOURCE_EXHAUSTED, error.message) from error


async def _one(request_type: Any, context: Any, refusal: str, missing: tuple[grpc.StatusCode, str]) -> Any:
    data = await _received(context)
    if data is None:
        raise ServiceError(*missing)
    return _parsed(request_type, data, refusal)


async def _each_parsed(request_type: Any, context: Any) -> AsyncIterator[Any]:
    while (data := await _received(context)) is not None:
        request = _parsed(request_type, data, _STREAM_MALFORMED)
        # A large message is not to be kept while the next one is waited for.
        del data
        yield request
        del request


def _serialize(message: Any) -> bytes:
    if isinstance(message, bytes):
        return message
    serialized: bytes = message.SerializeToString()
    return serialized


def _refuse(context: Any, name: str, method: str, error: Exception) -> None:
    """End a call with an error; `context.abort` would keep the call, and its request, for ever."""
    if isinstance(error, ServiceError):
        status, message = error.status, error.message
        _LOG.info("call refused", extra={"service": name, "status": status.name})
        context.set_trailing_metadata(_details(error))
    else:
        status = grpc.StatusCode.UNKNOWN
        message = f"internal error ({type(error).__name__}); see the engine's log"
        # The message of a surprise may quote what a client sent: type and place have to do.
        place = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        _LOG.error(
            "call failed",
            extra={"service": name, "error": type(error).__name__, "place": " < ".join(reversed(place))},
        )
    metrics.count_completed(name, method, status.name)
    context.set_code(status)
    context.set_details(message)


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
    status = status_pb2.Status(code=error.status.value[0], message=error.message, details=details)
    return (("grpc-status-details-bin", status.SerializeToString()),)
