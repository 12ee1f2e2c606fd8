"""A call of a function at another member's gate, and what came of it, checked against the ledger."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from consentry.access import Access
from consentry.data import denial
from consentry.errors import ConsentryError
from consentry.gate.arrival import DataAltered
from consentry.gate.compute.outputs import typed
from consentry.gate.compute.running import output_digest
from consentry.gate.compute.wire import Answer, Ended
from consentry.gate.connection import GateConnection, GateRefused, GateUnreachable
from consentry.transactions import Transactions
from consentry_records.delivery import ENDS, Delivery, NewDelivery
from consentry_records.record import field_names

Progress = Callable[[int, int], None]
_BUSY_TRIES = 120
_BUSY_PAUSE_SECONDS = 1.0
_BROKEN_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_LASTING_SECONDS = 5.0
_RECORD_SECONDS = 10.0
_RECORD_PAUSE_SECONDS = 0.05


class FunctionStopped(ConsentryError):
    """A function gave nothing: FUNCTION_STOPPED; `end` is a code of `consentry_records.delivery.ENDS`."""

    def __init__(self, end: str) -> None:
        super().__init__("FUNCTION_STOPPED", f"the function gave nothing: {ENDS[end]}", {"end": end})
        self.end = end


@dataclass(frozen=True, slots=True)
class ComputeResult:
    """A function's outputs by their names: arrays by name, or metrics by name.

    `delivery` is the record of the run on the ledger; `data` are the outputs' bytes; `key` proves by
    `running.output_digest` to whom it is shown that they are those of the record.
    """

    attempt_id: str
    outputs: dict[str, Any]
    delivery: NewDelivery
    data: dict[str, bytes] = field(repr=False)
    key: bytes = field(repr=False)


def compute(
    transactions: Transactions,
    connection: GateConnection,
    attempt_id: str,
    call: bytes,
    progress: Progress | None = None,
) -> ComputeResult:
    """Have a function run under an attempt that was made for it; return what it gave.

    Where the gate runs other functions, it is asked again every second for two minutes. After a connection
    that broke it is asked again with the same call, which is the same run: its outputs are to be had until
    the permit ends.

    Raises:
        AccessDenied, FunctionStopped, DataAltered, GateRefused, GateUnreachable
    """
    tries = _Tries()
    while True:
        began = time.monotonic()
        try:
            with connection.computation(attempt_id, call) as answer:
                ended = _followed(answer, progress)
                data = {output.name: answer.take(output.byte_count) for output in _given(ended)}
            return _checked(transactions, attempt_id, ended, data)
        except GateRefused as error:
            if error.code != "GATE_BUSY" or not tries.again_when_busy():
                raise denial(Access(transactions), attempt_id, error) from None
        except GateUnreachable as error:
            if not tries.again_when_broken(time.monotonic() - began):
                raise _fetched_later(attempt_id, error) from error


def _fetched_later(attempt_id: str, error: GateUnreachable) -> GateUnreachable:
    message = f"{error.message}; what the function gives can be fetched later with the attempt {attempt_id}"
    return GateUnreachable(error.code, message, {"attempt_id": attempt_id})


class _Tries:
    """How often a gate is asked again, and after what pause."""

    def __init__(self) -> None:
        self._busy = _BUSY_TRIES
        self._broken = _BROKEN_TRIES
        self._pause = _FIRST_PAUSE_SECONDS

    def again_when_busy(self) -> bool:
        """Wait, unless it was asked often enough."""
        self._busy -= 1
        if self._busy >= 0:
            time.sleep(_BUSY_PAUSE_SECONDS)
        return self._busy >= 0

    def again_when_broken(self, lasted: float) -> bool:
        """Wait longer each time; a connection that lasted some seconds was not in vain."""
        if lasted > _LASTING_SECONDS:
            self._broken, self._pause = _BROKEN_TRIES, _FIRST_PAUSE_SECONDS
        self._broken -= 1
        if self._broken > 0:
            time.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return self._broken > 0


def _followed(answer: Answer, progress: Progress | None) -> Ended:
    for line in answer.lines():
        if isinstance(line, Ended):
            return line
        if progress is not None:
            progress(*line)
    raise ValueError("the answer broke off")


def _given(ended: Ended) -> tuple[Any, ...]:
    """The outputs that follow: none where the gate could not record them."""
    return ended.computation.outputs if ended.recorded else ()


def _checked(
    transactions: Transactions, attempt_id: str, ended: Ended, data: dict[str, bytes]
) -> ComputeResult:
    record = ended.delivery
    if record.end != "completed":
        raise FunctionStopped(record.end)
    if not ended.recorded:
        raise GateRefused(
            "NOT_RECORDED", "the function has run; its outputs could not be recorded, nor given"
        )
    differs = DataAltered("DELIVERY_DIFFERS", "the function's outputs are not those that the ledger has")
    if record.attempt_id != attempt_id or not _is_recorded(transactions, record):
        raise differs
    for output in ended.computation.outputs:
        if not hmac.compare_digest(output.digest, output_digest(ended.key, output.name, data[output.name])):
            raise differs
    outputs = {output.name: typed(output.kind, data[output.name]) for output in ended.computation.outputs}
    return ComputeResult(attempt_id, outputs, record, data, ended.key)


def _is_recorded(transactions: Transactions, record: NewDelivery) -> bool:
    """Whether the ledger has just this record; the own peer may learn of it a moment later."""
    end = time.monotonic() + _RECORD_SECONDS
    while True:
        found = transactions.evaluate("deliveries:of_attempt", record.attempt_id)
        for one in map(Delivery.from_dict, found):
            if one.number == record.number:
                return all(getattr(one, n) == getattr(record, n) for n in field_names(NewDelivery))
        if time.monotonic() > end:
            return False
        time.sleep(_RECORD_PAUSE_SECONDS)
