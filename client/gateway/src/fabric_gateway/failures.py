"""Calls that ended with another status than OK, as steps see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

import grpc
from fabric_protos.gateway import gateway_pb2
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from fabric_gateway.errors import ErrorDetail, GatewayError

_Error = TypeVar("_Error", bound=GatewayError)

# How gRPC's core words a call for which it found no connection.
_NO_CONNECTION = ("failed to connect to all addresses", "connections to all backends failing")

Outcome = Any
"""A response, or a `StatusFailure`."""


class StatusFailure(Exception):
    """A call ended with a gRPC status other than OK; steps turn it into an error of their own.

    `not_sent` says that no connection was made, so that the request never left this machine.
    """

    def __init__(
        self, code: str, message: str, details: tuple[ErrorDetail, ...] = (), *, not_sent: bool = False
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details
        self.not_sent = not_sent

    def as_error(self, kind: type[_Error], transaction_id: str = "") -> _Error:
        """Return the error of the step that failed."""
        return kind(self.message, code=self.code, details=self.details, transaction_id=transaction_id)


def status_failure(error: grpc.RpcError) -> StatusFailure:
    """Read a gRPC error's status, message and the `gateway.ErrorDetail` of each node."""
    code, message = error.code(), error.details() or "no message"
    return StatusFailure(
        getattr(code, "name", str(code)),
        message,
        tuple(_error_details(error)),
        not_sent=code == grpc.StatusCode.UNAVAILABLE and message.startswith(_NO_CONNECTION),
    )


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
