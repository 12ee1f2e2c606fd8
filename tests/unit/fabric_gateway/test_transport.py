"""gRPC failures as errors with each node's message; no channel is opened to anybody."""

from typing import Any

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.status_pb2 import Status

from fabric_gateway import EndorseError, Gateway, GatewayError
from fabric_gateway.connection import open_transport
from fabric_gateway.errors import ErrorDetail
from fabric_gateway.failures import StatusFailure, status_failure
from fabric_gateway.transport import GrpcStream, GrpcTransport


class RpcFailure(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode, details: str | None, metadata: tuple[Any, ...] = ()) -> None:
        self._code, self._details, self._metadata = code, details, metadata

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str | None:
        return self._details

    def trailing_metadata(self) -> tuple[Any, ...]:
        return self._metadata


def rich_status(message: str, *messages: str, code: int = 10) -> tuple[tuple[str, bytes], ...]:
    packed = []
    for text in messages:
        item = Packed()
        item.Pack(gateway_pb2.ErrorDetail(address="peer:7051", msp_id="AMSP", message=text))
        packed.append(item)
    status = Status(code=code, message=message, details=packed)
    return (("grpc-status-details-bin", status.SerializeToString()),)


def test_details_of_each_node_are_read() -> None:
    error = RpcFailure(grpc.StatusCode.ABORTED, "failed", rich_status("failed", "one", "two"))
    failure = status_failure(error)
    assert (failure.code, failure.message) == ("ABORTED", "failed")
    assert failure.details == (
        ErrorDetail("peer:7051", "AMSP", "one"),
        ErrorDetail("peer:7051", "AMSP", "two"),
    )


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("grpc-status-details-bin", b"\xff\xff"),),
        rich_status("another message", "one"),
        rich_status("failed", "one", code=3),
    ],
)
def test_details_that_cannot_be_trusted_are_left_out(metadata: tuple[Any, ...]) -> None:
    failure = status_failure(RpcFailure(grpc.StatusCode.ABORTED, "failed", metadata))
    assert (failure.code, failure.message, failure.details) == ("ABORTED", "failed", ())


def test_an_error_without_a_message_gets_one() -> None:
    assert status_failure(RpcFailure(grpc.StatusCode.UNAVAILABLE, None)).message == "no message"


def test_a_failure_becomes_the_error_of_its_step() -> None:
    failure = StatusFailure("ABORTED", "failed", (ErrorDetail("peer:7051", "AMSP", "one"),))
    error = failure.as_error(EndorseError, "ab" * 32)
    assert isinstance(error, GatewayError)
    assert str(error) == f"ABORTED: failed; transaction {'ab' * 32}; AMSP at peer:7051: one"


class BrokenCall:
    def __init__(self) -> None:
        self.cancelled = False

    def __iter__(self) -> Any:
        yield "first"
        raise RpcFailure(grpc.StatusCode.CANCELLED, "cancelled")

    def cancel(self) -> None:
        self.cancelled = True


def test_a_stream_that_breaks_off_is_a_failure() -> None:
    responses = iter(GrpcStream(BrokenCall()))
    assert next(responses) == "first"
    with pytest.raises(StatusFailure, match="CANCELLED"):
        next(responses)


def test_a_stream_that_was_cancelled_ends_silently() -> None:
    call = BrokenCall()
    stream = GrpcStream(call)
    stream.cancel()
    assert list(stream) == ["first"]
    assert call.cancelled


def test_a_call_after_close_is_a_failure() -> None:
    transport = GrpcTransport(grpc.insecure_channel("localhost:1"))
    transport.close()
    with pytest.raises(StatusFailure, match="the connection is closed"):
        transport.evaluate(gateway_pb2.EvaluateRequest(), 1.0)


@pytest.mark.parametrize("roots", [b"", b"  \n"])
def test_no_connection_is_made_without_tls(roots: bytes) -> None:
    with pytest.raises(ValueError, match="connections without TLS are not made"):
        open_transport("localhost:7051", roots)


def test_an_identity_is_needed() -> None:
    with pytest.raises(ValueError, match="expected a serialized identity"):
        Gateway.connect("localhost:7051", identity=b"", signer=bytes, tls_roots=b"pem")
