"""What a recipient makes of a gate's answer to a call, and what the gate sends where something goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from support import ledger_examples as examples

from consentry.errors import ConsentryError, LedgerUnreachable
from consentry.gate.arrival import DataAltered
from consentry.gate.compute.attending import Attendance
from consentry.gate.compute.calling import FunctionStopped, compute
from consentry.gate.compute.response import ComputeResponse
from consentry.gate.compute.running import output_digest
from consentry.gate.compute.wire import Answer, Ended
from consentry.gate.connection import GateRefused, GateUnreachable
from consentry.gate.stopping import Stopped
from consentry_records import ComputedOutput, Delivery, NewDelivery
from consentry_records.function import Computation

ATTEMPT = examples.identifier("attempt", 1)
KEY = bytes(range(32))
METRICS = b'{"loss":0.5}'


def delivery(data: bytes = METRICS, **changes: Any) -> NewDelivery:
    """The record of a run that gave metrics."""
    digest = output_digest(KEY, "metrics", data)
    output = ComputedOutput(name="metrics", kind="metrics", byte_count=len(data), digest=digest)
    computation = Computation(
        parameters_digest=examples.digest("parameters"),
        environment_digest=examples.digest("environment"),
        outputs=(output,) if changes.get("end", "completed") == "completed" else (),
    )
    return examples.new_delivery(**{"computation": computation, **changes})


class Ledger:
    """Knows the deliveries of an attempt."""

    def __init__(self, *records: NewDelivery) -> None:
        self._records = [
            Delivery.recorded(record, custodian="A", recorded_by="a", recorded_at=examples.MIDDLE).to_dict()
            for record in records
        ]

    def evaluate(self, function: str, attempt_id: str) -> Any:
        assert (function, attempt_id) == ("deliveries:of_attempt", ATTEMPT)
        return self._records


class Gate:
    """Answers each call with the next of some answers."""

    def __init__(self, *answers: bytes | ConsentryError) -> None:
        self._answers = list(answers)

    @contextmanager
    def computation(self, attempt_id: str, call: bytes) -> Iterator[Answer]:
        answer = self._answers.pop(0)
        if isinstance(answer, ConsentryError):
            raise answer
        # In pieces, as a network may cut it.
        yield Answer(answer[start : start + 7] for start in range(0, len(answer), 7))


def answered(record: NewDelivery, data: bytes = METRICS, *, recorded: bool = True, key: bytes = KEY) -> bytes:
    return b'{"rows": 3, "of": 8}\n' + Ended(record, recorded, key).encode() + data


def called(ledger: Ledger, *answers: bytes | ConsentryError, progress: Any = None) -> Any:
    return compute(ledger, Gate(*answers), ATTEMPT, b"call", progress)  # type: ignore[arg-type]


def test_outputs_are_checked_and_typed() -> None:
    record, seen = delivery(), []
    result = called(Ledger(record), answered(record), progress=lambda *numbers: seen.append(numbers))
    assert result.outputs == {"metrics": {"loss": 0.5}}
    assert (result.data, result.key, seen) == ({"metrics": METRICS}, KEY, [(3, 8)])


def test_a_busy_gate_is_asked_again_with_the_same_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentry.gate.compute.calling._BUSY_PAUSE_SECONDS", 0.0)
    record, busy = delivery(), GateRefused("GATE_BUSY", "busy")
    assert called(Ledger(record), busy, busy, answered(record)).outputs == {"metrics": {"loss": 0.5}}
    with pytest.raises(GateRefused) as caught:
        called(Ledger(), GateRefused("FUNCTION_DIFFERS", "another"))
    assert caught.value.code == "FUNCTION_DIFFERS"


def test_after_a_broken_connection_the_same_call_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("consentry.gate.compute.calling.time.sleep", pauses.append)
    record, broken = delivery(), GateUnreachable("GATE_UNREACHABLE", "broke off")
    assert called(Ledger(record), broken, broken, answered(record)).data == {"metrics": METRICS}
    assert pauses == [0.2, 0.4]
    with pytest.raises(GateUnreachable) as caught:
        called(Ledger(), *[broken] * 6)
    assert caught.value.fields == {"attempt_id": ATTEMPT}
    assert ATTEMPT in caught.value.message
    with pytest.raises(GateRefused) as refused:
        called(Ledger(), broken, GateRefused("PERMIT_ENDED", "over"))
    assert refused.value.code == "PERMIT_ENDED"


@pytest.mark.parametrize("end", ["function-failed", "permit-overtaken", "gate-stopped"])
def test_a_run_without_outputs_says_why(end: str) -> None:
    record = delivery(end=end)
    with pytest.raises(FunctionStopped) as caught:
        called(Ledger(record), answered(record, b"", key=b""))
    assert (caught.value.code, caught.value.end) == ("FUNCTION_STOPPED", end)


def test_outputs_that_are_not_on_record_are_not_taken() -> None:
    with pytest.raises(GateRefused) as caught:
        called(Ledger(), answered(delivery(), b"", recorded=False, key=b""))
    assert caught.value.code == "NOT_RECORDED"


OTHER = b'{"loss":0.4}'
ALTERED = {
    "other bytes": (delivery(), answered(delivery(), OTHER)),
    "another key": (delivery(), answered(delivery(), key=bytes(32))),
    "another record": (delivery(row_count=7, next_row=9), answered(delivery())),
    "another attempt": (delivery(), answered(delivery(attempt_id=examples.identifier("attempt", 2)))),
}


@pytest.mark.parametrize(("recorded", "answer"), list(ALTERED.values()), ids=list(ALTERED))
def test_what_differs_from_the_ledger_is_found(recorded: NewDelivery, answer: bytes) -> None:
    with pytest.raises(DataAltered) as caught:
        called(Ledger(recorded), answer)
    assert caught.value.code == "DELIVERY_DIFFERS"


def test_a_record_that_never_comes_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentry.gate.compute.calling._RECORD_SECONDS", 0.0)
    with pytest.raises(DataAltered):
        called(Ledger(), answered(delivery()))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b'{"rows": 1, "of": 2}\n',
        b'{"ended": {}, "recorded": true, "key": ""}\n',
        b"x" * (3 << 20),
        answered(delivery(), METRICS[:-1]),
    ],
)
def test_answers_that_break_off_are_none(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"broke off|not a line|Expecting"):
        called(Ledger(), answer)


class Run:
    """A run that ends as it is told."""

    gone_through, row_count, key, attended = 3, 8, KEY, None

    def __init__(self, ends: Callable[[], str]) -> None:
        self.outputs = {"metrics": METRICS}
        self._ends = ends
        self.stopped: list[str] = []

    def run(self) -> str:
        return self._ends()

    def stop(self, end: str) -> None:
        self.stopped.append(end)


def sent(
    ends: Callable[[], str], *, over: Any = None, recorded: bool = True
) -> tuple[list[bytes], list[str]]:
    """What is sent for a run, and the end that is recorded."""
    recorded_ends: list[str] = []

    def finish(run: Run, end: str) -> tuple[NewDelivery, bool]:
        recorded_ends.append(end)
        run.outputs = run.outputs if end == "completed" else {}
        return delivery(end=end), recorded

    def asked(_run: Run) -> str | None:
        if isinstance(over, Exception):
            raise over
        return over

    async def answer() -> list[bytes]:
        parts: list[bytes] = []

        async def send(message: Any) -> None:
            parts.append(message.get("body", b""))

        async def receive() -> Any:
            await asyncio.sleep(3600)

        with ThreadPoolExecutor(2) as threads:
            gate: Any = SimpleNamespace(over=asked, finish=finish, wait_seconds=0.0)
            attendance = Attendance(gate, asyncio.Event(), threads)
            await ComputeResponse(attendance.of(Run(ends)))({}, receive, send)  # type: ignore[arg-type]
        return parts

    return asyncio.run(answer()), recorded_ends


def ended(parts: list[bytes]) -> dict[str, Any]:
    lines = [line for line in b"".join(parts).split(b"\n") if b'"ended"' in line]
    found: dict[str, Any] = json.loads(lines[0])
    return found


def test_outputs_leave_once_they_are_on_record() -> None:
    parts, ends = sent(lambda: "completed")
    assert ends == ["completed"]
    assert b"".join(parts).endswith(METRICS)
    assert ended(parts)["key"] == KEY.hex()


def test_outputs_that_cannot_be_recorded_do_not_leave() -> None:
    parts, _ = sent(lambda: "completed", recorded=False)
    assert METRICS not in b"".join(parts)
    assert (ended(parts)["recorded"], ended(parts)["key"]) == (False, "")


@pytest.mark.parametrize(
    ("over", "end"),
    [
        ("permit-overtaken", "permit-overtaken"),
        ("resumed", "resumed"),
        (LedgerUnreachable("LEDGER_UNREACHABLE", "no answer"), "ledger-unreachable"),
    ],
)
def test_what_is_overtaken_as_it_comes_to_its_end_gives_nothing(over: Any, end: str) -> None:
    parts, ends = sent(lambda: "completed", over=over)
    assert ends == [end]
    assert METRICS not in b"".join(parts)


def test_a_run_that_fails_gives_nothing() -> None:
    def fails() -> str:
        raise Stopped("limit-exceeded")

    parts, ends = sent(fails)
    assert ends == ["limit-exceeded"]
    assert METRICS not in b"".join(parts)
