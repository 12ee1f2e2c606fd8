"""The steps of a call chain as generators, which one driver runs blocking and another one in the background.

A generator yields what it waits for, a `Call` or a `Pause`, and gets the response back; a call that failed is
raised where it was yielded, as `StatusFailure`. So endorsing, submitting and asking for a status are written
once, whether a thread waits for them or many are in flight.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from fabric_gateway.transport import Method, Outcome, StatusFailure, Transport

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
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


def start(transport: Transport, steps: Steps[_Result]) -> Future[_Result]:
    """Take the steps up to the first call, the others as answers arrive; return what they will come to.

    The transport's thread takes the later steps and runs the future's callbacks: they must not wait.
    """
    future: Future[_Result] = Future()
    # Nobody can cancel what is on its way.
    future.set_running_or_notify_cancel()

    def proceed(advance: Callable[[], Call | Pause]) -> None:
        try:
            step = advance()
            if isinstance(step, Pause):
                timer = threading.Timer(step.seconds, answered, (None,))
                timer.daemon = True
                timer.start()
            else:
                transport.start(step.method, step.request, step.timeout, answered)
        except StopIteration as end:
            future.set_result(end.value)
        except Exception as error:
            future.set_exception(error)
        except BaseException as error:
            # Ctrl-C at the first step is the caller's, not the call's.
            future.set_exception(error)
            raise

    def answered(outcome: Outcome) -> None:
        if isinstance(outcome, StatusFailure):
            proceed(lambda: steps.throw(outcome))
        else:
            proceed(lambda: steps.send(outcome))

    answered(None)
    return future


def _take(transport: Transport, step: Call | Pause) -> Any:
    if isinstance(step, Pause):
        return time.sleep(step.seconds)
    return getattr(transport, step.method)(step.request, step.timeout)
