"""The calls that the client makes, behind an interface that tests implement in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from fabric_gateway.errors import ErrorDetail, GatewayError

_Error = TypeVar("_Error", bound=GatewayError)


class StatusFailure(Exception):
    """A call ended with a gRPC status other than OK; steps turn it into an error of their own."""

    def __init__(self, code: str, message: str, details: tuple[ErrorDetail, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details

    def as_error(self, kind: type[_Error], transaction_id: str = "") -> _Error:
        """Return the error of the step that failed."""
        return kind(self.message, code=self.code, details=self.details, transaction_id=transaction_id)


class Stream(Protocol):
    """Responses of a server, until it ends them or `cancel` is called; failures are `StatusFailure`."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the responses."""

    def cancel(self) -> None:
        """End the call; iteration then stops."""


class Transport(Protocol):
    """The calls of Fabric's Gateway service and of a peer's Deliver service; timeouts are in seconds.

    Every method raises `StatusFailure` where the call fails. Implementations can be used by many threads.
    """

    def evaluate(self, request: gateway_pb2.EvaluateRequest, timeout: float) -> gateway_pb2.EvaluateResponse:
        """Gateway.Evaluate."""

    def endorse(self, request: gateway_pb2.EndorseRequest, timeout: float) -> gateway_pb2.EndorseResponse:
        """Gateway.Endorse."""

    def submit(self, request: gateway_pb2.SubmitRequest, timeout: float) -> gateway_pb2.SubmitResponse:
        """Gateway.Submit."""

    def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest, timeout: float
    ) -> gateway_pb2.CommitStatusResponse:
        """Gateway.CommitStatus."""

    def chaincode_events(self, request: gateway_pb2.SignedChaincodeEventsRequest) -> Stream:
        """Gateway.ChaincodeEvents: a stream of `ChaincodeEventsResponse`."""

    def deliver(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.Deliver with one request: a stream of the responses' bytes as they arrived."""

    def close(self) -> None:
        """Close the connection; running calls are cancelled."""


class GrpcTransport:
    """Calls over one gRPC channel, which it closes."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._gateway = gateway_pb2_grpc.GatewayStub(channel)
        # Bytes in and out: blocks have to reach a verifier as they were sent, not re-encoded.
        self._deliver = channel.stream_stream(
            "/protos.Deliver/Deliver",
            request_serializer=common_pb2.Envelope.SerializeToString,
            response_deserializer=None,
        )

    def evaluate(self, request: gateway_pb2.EvaluateRequest, timeout: float) -> gateway_pb2.EvaluateResponse:
        """Gateway.Evaluate."""
        return _call(self._gateway.Evaluate, request, timeout)

    def endorse(self, request: gateway_pb2.EndorseRequest, timeout: float) -> gateway_pb2.EndorseResponse:
        """Gateway.Endorse."""
        return _call(self._gateway.Endorse, request, timeout)

    def submit(self, request: gateway_pb2.SubmitRequest, timeout: float) -> gateway_pb2.SubmitResponse:
        """Gateway.Submit."""
        return _call(self._gateway.Submit, request, timeout)

    def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest, timeout: float
    ) -> gateway_pb2.CommitStatusResponse:
        """Gateway.CommitStatus."""
        return _call(self._gateway.CommitStatus, request, timeout)

    def chaincode_events(self, request: gateway_pb2.SignedChaincodeEventsRequest) -> Stream:
        """Gateway.ChaincodeEvents."""
        return GrpcStream(self._gateway.ChaincodeEvents(request))

    def deliver(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.Deliver."""
        return GrpcStream(self._deliver(iter((envelope,))))

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


class GrpcStream:
    """A gRPC response stream whose failures are `StatusFailure` and whose end by `cancel` is silent."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._cancelled = False

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the responses."""
        try:
            yield from self._call
        except grpc.RpcError as error:
            if not self._cancelled:
                raise status_failure(error) from error

    def cancel(self) -> None:
        """End the call."""
        self._cancelled = True
        self._call.cancel()


def status_failure(error: grpc.RpcError) -> StatusFailure:
    """Read a gRPC error's status, message and the `gateway.ErrorDetail` of each node."""
    code = error.code()
    return StatusFailure(
        getattr(code, "name", str(code)), error.details() or "no message", tuple(_error_details(error))
    )


def _call(method: Any, request: Any, timeout: float) -> Any:
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise status_failure(error) from error
    except ValueError as error:
        # grpcio's answer to a call on a closed channel.
        raise StatusFailure("CANCELLED", f"the connection is closed: {error}") from error


def _error_details(error: grpc.RpcError) -> Iterator[ErrorDetail]:
    status = None
    # from_call raises ValueError where trailing metadata contradict the status, which stays usable.
    with suppress(ValueError, DecodeError):
        status = rpc_status.from_call(error)
    for packed in status.details if status is not None else ():
        detail = gateway_pb2.ErrorDetail()
        with suppress(DecodeError):
            if packed.Unpack(detail):
                yield ErrorDetail(detail.address, detail.msp_id, detail.message)
