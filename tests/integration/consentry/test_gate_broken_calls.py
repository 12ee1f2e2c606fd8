"""A function's caller loses the connection, amid the run or its outputs: one run, and what it gave stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.consent_frames import RESEARCH, pseudonyms
from support.function_gate import (
    ENDLESS,
    SLOW,
    TRAIN,
    approved_function,
    begun_and_broken,
    serving_functions,
)
from support.gate_process import deliveries, grant, held_version, rows_of
from support.processes import below, until

from consentry.errors import InputRejected
from consentry.gate.compute.wire import Answer
from consentry.gate.connection import GateRefused
from consentry_records import Conditions

pytestmark = [pytest.mark.integration, pytest.mark.optional_tool("bubblewrap")]


@pytest.fixture(scope="module")
def gate(consortium: Any) -> Iterator[Any]:
    with serving_functions(consortium) as process:
        yield process


@pytest.fixture(scope="module")
def version(consortium: Any) -> Any:
    return held_version(consortium, rows_of(pseudonyms(60, f"patient-{os.urandom(8).hex()}")))


@pytest.fixture
def granted(steward: Any, researcher: Any, version: Any) -> Iterator[Any]:
    """A grant for aggregates alone."""
    given = grant(steward, researcher, version, conditions=Conditions(aggregate_output_only=True))
    yield given
    if steward.grants.get(given.grant_id).state == "active":
        steward.grants.revoke(given.grant_id)


@pytest.fixture
def function(steward: Any, researcher: Any, version: Any, tmp_path: Path) -> Any:
    """Makes a function that is registered and approved."""
    return lambda source: approved_function(steward, researcher, version, tmp_path / "function.py", source)


def test_the_function_of_a_client_that_stays_away_is_ended(
    gate: Any, consortium: Any, researcher: Any, granted: Any, version: Any, function: Any
) -> None:
    attempt_id = begun_and_broken(consortium, researcher, version, function(ENDLESS), {})
    (record,) = deliveries(researcher, attempt_id)
    assert (record.end, record.computation.outputs) == ("recipient-gone", ())
    assert until(lambda: not below(gate.pid))


def test_who_comes_back_gets_what_the_same_run_gives(
    gate: Any,
    consortium: Any,
    researcher: Any,
    steward: Any,
    ledger_of: Any,
    granted: Any,
    version: Any,
    function: Any,
) -> None:
    path, parameters = function(SLOW), {"seconds": 4}
    attempt_id = begun_and_broken(consortium, researcher, version, path, parameters)

    def fetched(ledger: Any, given: Any) -> Any:
        return ledger.data.compute(
            version.version_id, function=path, purpose=RESEARCH, parameters=given, attempt_id=attempt_id
        )

    first, again = fetched(researcher, parameters), fetched(researcher, parameters)
    assert first.outputs["metrics"]["rows"]
    assert (again.data, again.delivery) == (first.data, first.delivery)
    assert len(deliveries(researcher, attempt_id)) == 1
    for ledger, given, code in (
        (researcher, {"seconds": 0}, "CALL_DIFFERS"),
        (ledger_of("lakeside", "researcher"), parameters, "ATTEMPT_OF_ANOTHER"),
    ):
        with pytest.raises(GateRefused) as caught:
            fetched(ledger, given)
        assert caught.value.code == code
    with pytest.raises(InputRejected) as rejected:
        researcher.data.compute(
            version.version_id, function=path, purpose=RESEARCH, columns=["radius"], attempt_id=attempt_id
        )
    assert rejected.value.code == "ATTEMPT_MADE"
    steward.grants.revoke(granted.grant_id)
    with pytest.raises(GateRefused) as caught:
        fetched(researcher, parameters)
    assert caught.value.code == "PERMIT_OVERTAKEN"


def test_a_connection_that_breaks_amid_the_outputs_is_taken_up_by_itself(
    gate: Any, researcher: Any, granted: Any, version: Any, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, breaks = Answer.take, [ValueError("the answer broke off")] * 2

    def take(answer: Answer, size: int) -> bytes:
        if breaks:
            raise breaks.pop()
        return true(answer, size)

    monkeypatch.setattr(Answer, "take", take)
    result = researcher.data.compute(
        version.version_id, function=function(TRAIN), purpose=RESEARCH, parameters={"weights": [0]}
    )
    assert not breaks
    assert result.outputs["update"]["weights"].shape == (1,)
    assert len(deliveries(researcher, result.attempt_id)) == 1
