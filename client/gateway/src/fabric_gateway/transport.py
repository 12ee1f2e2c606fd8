"""The calls that the client makes, behind an interface that tests implement in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc

from fabric_gateway.failures import Outcome, StatusFailure, status_failure
from fabric_gateway.unary_calls import StartCall, starting

Method = Literal["evaluate", "endorse", "submit", "commit_status"]
"""The unary calls, by the names that they have here."""

_DELIVER_METHODS = ("Deliver", "DeliverFiltered", "DeliverWithPrivateData")


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

    def start(
        self, method: Method, request: Any, timeout: float, answered: Callable[[Outcome], None]
    ) -> None:
        """Make one of the calls above without waiting: `answered` is called once, by any thread."""

    def chaincode_events(self, request: gateway_pb2.SignedChaincodeEventsRequest) -> Stream:
        """Gateway.ChaincodeEvents: a stream of `ChaincodeEventsResponse`."""

    def deliver(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.Deliver with one request: a stream of the responses' bytes as they arrived."""

    def deliver_filtered(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.DeliverFiltered, as `deliver`."""

    def deliver_with_private_data(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.DeliverWithPrivateData, as `deliver`."""

    def close(self) -> None:
        """Close the connection; running calls are cancelled."""


class GrpcTransport:
    """Calls over one gRPC channel, which it closes."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._gateway = gateway_pb2_grpc.GatewayStub(channel)
        self._starting: dict[Method, StartCall] = {
            "evaluate": starting(self._gateway.Evaluate, gateway_pb2.EvaluateResponse),
            "endorse": starting(self._gateway.Endorse, gateway_pb2.EndorseResponse),
            "submit": starting(self._gateway.Submit, gateway_pb2.SubmitResponse),
            "commit_status": starting(self._gateway.CommitStatus, gateway_pb2.CommitStatusResponse),
        }
        self._delivers = {method: _deliver_method(channel, method) for method in _DELIVER_METHODS}

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

    def start(
        self, method: Method, request: Any, timeout: float, answered: Callable[[Outcome], None]
    ) -> None:
        """Make a call whose answer the channel's own thread hands over."""
        try:
            self._starting[method](request, timeout, answered)
        except ValueError as error:
            answered(_closed(error))

    def chaincode_events(self, request: gateway_pb2.SignedChaincodeEventsRequest) -> Stream:
        """Gateway.ChaincodeEvents."""
        try:
            return GrpcStream(self._gateway.ChaincodeEvents(request))
        except ValueError as error:
            raise _closed(error) from error

    def deliver(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.Deliver."""
        return self._delivered("Deliver", envelope)

    def deliver_filtered(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.DeliverFiltered."""
        return self._delivered("DeliverFiltered", envelope)

    def deliver_with_private_data(self, envelope: common_pb2.Envelope) -> Stream:
        """Deliver.DeliverWithPrivateData."""
        return self._delivered("DeliverWithPrivateData", envelope)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _delivered(self, method: str, envelope: common_pb2.Envelope) -> Stream:
        try:
            return GrpcStream(self._delivers[method](iter((envelope,))))
        except ValueError as error:
            raise _closed(error) from error


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


def _call(method: Any, request: Any, timeout: float) -> Any:
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise status_failure(error) from error
    except ValueError as error:
        raise _closed(error) from error


def _closed(error: ValueError) -> StatusFailure:
    # grpcio's answer to a call on a closed channel.
    return StatusFailure("CANCELLED", f"the connection is closed: {error}", not_sent=True)


def _deliver_method(channel: grpc.Channel, method: str) -> Any:
    # Bytes out: blocks have to reach a verifier as they were sent, not re-encoded.
    return channel.stream_stream(
        f"/protos.Deliver/{method}",
        request_serializer=common_pb2.Envelope.SerializeToString,
        response_deserializer=None,
    )
