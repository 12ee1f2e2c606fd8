"""The steps of a call chain as generators, which one driver runs blocking and another one in the background.

A generator yields what it waits for, a `Call` or a `Pause`, and gets the response back; a call that failed is
raised where it was yielded, as `StatusFailure`. So endorsing, submitting and asking for a status are written
once, whether a thread waits for them or many are in flight.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fabric_gateway.failures import Outcome, StatusFailure
from fabric_gateway.transport import Method, Transport

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Call:
    """A unary call of the Gateway service; its timeout is in seconds."""

    method: Method
    request: Any
    timeout: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Waiting, in seconds."""

    seconds: float


Steps = Generator[Call | Pause, Any, _Result]
"""What leads to a result."""


def run(transport: Transport, steps: Steps[_Result]) -> _Result:
    """Take the steps while the caller waits, and return or raise what they come to."""
    answer: Any = None
    try:
        while True:
            step = steps.send(answer)
            while True:
                try:
                    answer = _take(transport, step)
                    break
                except StatusFailure as failure:
                    step = steps.throw(failure)
    except StopIteration as end:
        result: _Result = end.value
        return result


def start(transport: Transport, steps: Steps[_Result], future: Future[_Result]) -> None:
    """Take the steps up to the first call, the others as answers arrive; `future` runs until they end.

    The transport's thread takes the later steps and runs the future's callbacks: they must not wait.
    """
    _Course(transport, steps, future).proceed(None)


class _Course(Generic[_Result]):
    """Steps on their way."""

    __slots__ = ("_future", "_steps", "_transport")

    def __init__(self, transport: Transport, steps: Steps[_Result], future: Future[_Result]) -> None:
        self._transport = transport
        self._steps = steps
        self._future = future

    def proceed(self, outcome: Outcome) -> None:
        """Take the next step, given what the last one came to."""
        try:
            if isinstance(outcome, StatusFailure):
                step = self._steps.throw(outcome)
            else:
                step = self._steps.send(outcome)
            if isinstance(step, Call):
                self._transport.start(step.method, step.request, step.timeout, self.proceed)
            else:
                timer = threading.Timer(step.seconds, self.proceed, (None,))
                timer.daemon = True
                timer.start()
        except StopIteration as end:
            self._future.set_result(end.value)
        except Exception as error:
            self._future.set_exception(error)
        except BaseException as error:
            # Ctrl-C at the first step is the caller's, not the call's.
            self._future.set_exception(error)
            raise


def _take(transport: Transport, step: Call | Pause) -> Any:
    if isinstance(step, Pause):
        return time.sleep(step.seconds)
    return getattr(transport, step.method)(step.request, step.timeout)
