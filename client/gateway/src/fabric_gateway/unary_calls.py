"""Calls of one request and one response that nobody waits for: their outcome is handed to a function.

gRPC's own `future` keeps a condition, a future and a call object for each call, which costs as much as the
rest of a call in Python. Where this grpcio is of a kind that is known here, a call's operations are started
on its channel as `future` does it, with a handler of their own (docs/decisions/0030).
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc._cython import cygrpc

from fabric_gateway.failures import Outcome, StatusFailure, status_failure

StartCall = Callable[[Any, float, Callable[[Outcome], None]], None]
"""Takes a request, a timeout in seconds, and what is called once with the outcome, by any thread."""

_log = logging.getLogger("fabric_gateway")
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OK = grpc.StatusCode.OK.value[0]
# What starts the operations of a call, in the versions of grpcio that are known here.
_PARAMETERS = (
    "flags",
    "method",
    "host",
    "deadline",
    "metadata",
    "credentials",
    "operations",
    "event_handler",
    "context",
    "_registered_call_handle",
)


def starting(method: Any, response_type: Any) -> StartCall:
    """Return what starts calls of `method`, a gRPC stub's, whose responses are of `response_type`.

    It raises ValueError where the channel is closed.
    """
    return _starting_directly(method, response_type) if is_known(method) else _starting_futures(method)


def is_known(method: Any) -> bool:
    """Whether calls of `method` can be started without gRPC's futures."""
    managed = getattr(method, "_managed_call", None)
    named = all(hasattr(method, name) for name in ("_method", "_context", "_registered_call_handle"))
    return named and managed is not None and tuple(inspect.signature(managed).parameters) == _PARAMETERS


def _starting_futures(method: Any) -> StartCall:
    def start(request: Any, timeout: float, answered: Callable[[Outcome], None]) -> None:
        method.future(request, timeout=timeout).add_done_callback(lambda call: answered(_outcome(call)))

    return start


def _starting_directly(method: Any, response_type: Any) -> StartCall:
    managed, name = method._managed_call, method._method
    context, handle = method._context, method._registered_call_handle
    flags, parse = cygrpc.PropagationConstants.GRPC_PROPAGATE_DEFAULTS, response_type.FromString

    def start(request: Any, timeout: float, answered: Callable[[Outcome], None]) -> None:
        operations = (
            cygrpc.SendInitialMetadataOperation(None, 0),
            cygrpc.SendMessageOperation(request.SerializeToString(), 0),
            cygrpc.SendCloseFromClientOperation(0),
            cygrpc.ReceiveInitialMetadataOperation(0),
            cygrpc.ReceiveMessageOperation(0),
            cygrpc.ReceiveStatusOnClientOperation(0),
        )
        end = time.time() + timeout
        managed(flags, name, None, end, None, None, (operations,), _handler(parse, answered), context, handle)

    return start


def _handler(parse: Callable[[bytes], Any], answered: Callable[[Outcome], None]) -> Callable[[Any], bool]:
    epoch = cygrpc.get_fork_epoch()

    def handle(event: Any) -> bool:
        try:
            answered(_read(parse, event.batch_operations))
        except Exception as error:
            # The channel's thread serves other calls, too.
            _log.error("what takes a call's outcome failed (%s)", type(error).__name__)
        # A call of the parent process is not counted in the child.
        return bool(epoch >= cygrpc.get_fork_epoch())

    return handle


def _read(parse: Callable[[bytes], Any], operations: Sequence[Any]) -> Outcome:
    # As they were started: the last two are what was received and the status.
    if len(operations) < 2:
        return StatusFailure("UNKNOWN", "the call ended without a status")
    status = operations[-1]
    if status.code() != _OK:
        return status_failure(_Ended(status))
    message = operations[-2].message()
    if message is None:
        return StatusFailure("INTERNAL", "the call ended without a response")
    try:
        return parse(message)
    except DecodeError:
        return StatusFailure("INTERNAL", "Exception deserializing response!")


class _Ended:
    """A call's status as gRPC's errors show it."""

    def __init__(self, status: Any) -> None:
        self._status = status

    def code(self) -> grpc.StatusCode:
        return _CODES.get(self._status.code(), grpc.StatusCode.UNKNOWN)

    def details(self) -> str | None:
        found = self._status.details()
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else found

    def trailing_metadata(self) -> Any:
        return self._status.trailing_metadata()


def _outcome(call: Any) -> Outcome:
    try:
        return call.result()
    except grpc.RpcError as error:
        return status_failure(error)
    except grpc.FutureCancelledError:
        return StatusFailure("CANCELLED", "the call was cancelled")
