"""A function comes to the data: approved, on consented rows; only its declared outputs leave, on record."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.consent_frames import CARE, RESEARCH
from support.gate_bench import COUNT, MONTH, PEOPLE, RIVERSIDE, GateBench

from consentry.errors import ConfigurationError, ConsentryError
from consentry.gate.compute.calls import Given
from consentry.gate.compute.environment import PythonEnvironment
from consentry.gate.compute.isolation import Isolation
from consentry.gate.compute.running import FunctionRun, output_digest, output_key
from consentry.gate.compute.sandbox import Limits, Sandbox
from consentry.gate.compute.wire import read_call, write_call
from consentry.gate.permits import DeniedOnLedger
from consentry.gate.stopping import Stopped
from consentry.weights import read_weights
from consentry_records.delivery import Delivery
from fabric_gateway.failures import StatusFailure

pytestmark = pytest.mark.optional_tool("bubblewrap")
OUTPUTS = {"update": ("arrays", 4096), "metrics": ("metrics", 1024)}
MEAN = """
def train(frame, parameters):
    radius = frame["radius"]
    return {
        "update": {"mean": [radius.mean() * parameters.get("by", 1)]},
        "metrics": {"rows": len(frame), "columns": len(frame.columns)},
    }
"""
ENDLESS = "def train(frame, parameters):\n    while True:\n        pass\n"
FAILING = "def train(frame, parameters):\n    raise ValueError(frame)\n"


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(PythonEnvironment.of(), Limits(seconds=60, memory_bytes=3 << 30))


@pytest.fixture
def ready(bench: GateBench, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> GateBench:
    """A gate whose isolation was proved before."""
    monkeypatch.setattr(Isolation, "sandbox", lambda _isolation: sandbox)
    return bench


def approved(bench: GateBench, tmp_path: Path, source: str, **changes: Any) -> Path:
    """A registered function that the custodian approves."""
    path = tmp_path / f"{hashlib.sha256(source.encode()).hexdigest()}.py"
    path.write_text(source)
    bench.researcher.functions.register(path, outputs=OUTPUTS)
    given = {"versions": [bench.version.version_id], "purposes": [RESEARCH], "duration": MONTH, **changes}
    bench.steward.functions.approve(path, owner=RIVERSIDE, **given)
    bench.gateway.memory.advance(timedelta(seconds=3))
    return path


def attempted(bench: GateBench, path: Path, **changes: Any) -> str:
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return bench.attempt(**{"function_digest": digest, "output": "aggregate", **changes})


def called(bench: GateBench, attempt_id: str, source: str, **parameters: Any) -> Any:
    caller = bench.gate.caller(bench.request(attempt_id))
    return bench.gate.compute(attempt_id, read_call(write_call(source, parameters)), caller)


def finished(bench: GateBench, run: FunctionRun) -> str:
    """How a run ends, recorded."""
    try:
        end = run.run()
    except Stopped as stopped:
        end = stopped.end
    record, on_ledger = bench.gate.finish(run, end)
    assert on_ledger
    assert record.end == end
    return end


def records(bench: GateBench, attempt_id: str) -> list[Delivery]:
    found = bench.researcher.transactions.evaluate("deliveries:of_attempt", attempt_id)
    return [Delivery.from_dict(one) for one in found]


def refusal(call: Any) -> str:
    with pytest.raises(ConsentryError) as caught:
        call()
    return caught.value.code


def test_outputs_leave_with_their_digests_on_record(ready: GateBench, frame: Any, tmp_path: Path) -> None:
    ready.steward.consents.withdraw(pseudonym=PEOPLE[3])
    path = approved(ready, tmp_path, MEAN)
    attempt_id = attempted(ready, path, columns=["radius"])
    run = called(ready, attempt_id, MEAN, by=2)
    assert finished(ready, run) == "completed"
    expected = 2 * frame["radius"].drop(index=3).mean()
    assert read_weights(run.outputs["update"])["mean"].tolist() == pytest.approx([expected])
    assert json.loads(run.outputs["metrics"]) == {"rows": COUNT - 1, "columns": 1}
    (kept,) = records(ready, attempt_id)
    assert (kept.end, kept.row_count, dict(kept.left_out)) == ("completed", COUNT - 1, {"ended": 1})
    assert kept.byte_count == sum(map(len, run.outputs.values()))
    secret = ready.steward.datasets.secret("cells").secret
    assert run.key == output_key(secret, attempt_id) != secret
    assert {output.name: output.digest for output in kept.computation.outputs} == {
        name: output_digest(run.key, name, data) for name, data in run.outputs.items()
    }
    assert kept.computation.environment_digest == run._computation.environment_digest


def test_rows_of_other_columns_are_not_given(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    run = called(ready, attempted(ready, path, columns=["grade"]), MEAN)
    assert finished(ready, run) == "function-failed"


def test_an_attempt_is_one_run(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    attempt_id = attempted(ready, path)
    run = called(ready, attempt_id, MEAN)
    assert called(ready, attempt_id, MEAN) is run
    assert refusal(lambda: called(ready, attempt_id, MEAN, by=2)) == "CALL_DIFFERS"
    assert finished(ready, run) == "completed"
    assert isinstance(called(ready, attempt_id, MEAN), Given)
    assert refusal(lambda: called(ready, attempt_id, MEAN, by=2)) == "CALL_DIFFERS"
    assert len(records(ready, attempt_id)) == 1


def test_another_source_than_the_approved_one_is_refused(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    attempt_id = attempted(ready, path)
    assert refusal(lambda: called(ready, attempt_id, MEAN + "\n")) == "FUNCTION_DIFFERS"
    assert ready.researcher.access.get(attempt_id).decision is None
    other = tmp_path / "other.py"
    other.write_text(MEAN + "\n")
    with pytest.raises(DeniedOnLedger) as caught:
        called(ready, attempted(ready, other), MEAN + "\n")
    assert [reason.code for reason in caught.value.decision.reasons] == ["FUNCTION_NOT_APPROVED"]


def test_a_revoked_or_ended_approval_denies(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN, duration=timedelta(hours=1))
    ready.gateway.memory.advance(timedelta(hours=1))
    with pytest.raises(DeniedOnLedger) as caught:
        called(ready, attempted(ready, path), MEAN)
    assert [reason.code for reason in caught.value.decision.reasons] == ["FUNCTION_APPROVAL_ENDED"]
    again = {"versions": [ready.version.version_id], "purposes": [RESEARCH], "duration": MONTH}
    assert ready.steward.functions.approve(path, owner=RIVERSIDE, **again).revision == 2
    ready.steward.functions.revoke(path, owner=RIVERSIDE)
    with pytest.raises(DeniedOnLedger) as caught:
        called(ready, attempted(ready, path), MEAN)
    assert [reason.code for reason in caught.value.decision.reasons] == ["FUNCTION_NOT_APPROVED"]
    state = ready.researcher.functions.get(path)
    assert [(one.state, one.revision) for one in state.approvals] == [("revoked", 2)]


def test_rows_are_not_to_be_had_by_an_attempt_with_a_function_and_the_other_way_round(
    ready: GateBench, tmp_path: Path
) -> None:
    path = approved(ready, tmp_path, MEAN)
    attempt_id = attempted(ready, path)
    assert refusal(lambda: ready.deliver(attempt_id)) == "OUTPUT_DIFFERS"
    caller = ready.gate.caller(ready.request(attempt_id))
    assert refusal(lambda: ready.gate.aggregates(attempt_id, caller)) == "OUTPUT_DIFFERS"
    assert refusal(lambda: called(ready, ready.attempt(), MEAN)) == "OUTPUT_DIFFERS"


def test_a_function_that_fails_gives_nothing_and_is_on_record(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, FAILING)
    attempt_id = attempted(ready, path)
    assert finished(ready, called(ready, attempt_id, FAILING)) == "function-failed"
    (kept,) = records(ready, attempt_id)
    assert (kept.computation.outputs, kept.byte_count, kept.row_count) == ((), 0, COUNT)


@pytest.mark.parametrize("change", ["approval", "grant"])
def test_what_is_taken_back_stops_a_run(ready: GateBench, tmp_path: Path, change: str) -> None:
    path = approved(ready, tmp_path, ENDLESS)
    attempt_id = attempted(ready, path)
    run = called(ready, attempt_id, ENDLESS)
    assert ready.gate.over(run) is None
    if change == "approval":
        ready.steward.functions.revoke(path, owner=RIVERSIDE)
    else:
        ready.steward.grants.revoke(ready.grant.grant_id)
    over = ready.gate.over(run)
    assert over == "permit-overtaken"
    threading.Timer(2.0, run.stop, args=(over,)).start()
    assert finished(ready, run) == "permit-overtaken"
    assert records(ready, attempt_id)[0].end == "permit-overtaken"


def test_a_consent_withdrawn_while_rows_are_given_counts_for_the_next_block(
    ready: GateBench, tmp_path: Path
) -> None:
    path = approved(ready, tmp_path, MEAN)
    run = called(ready, attempted(ready, path), MEAN)
    batches = run._batches()
    assert next(batches).num_rows == 8
    ready.steward.consents.withdraw(pseudonym=PEOPLE[9])
    assert next(batches).num_rows == 7
    run.stop("gate-stopped")
    assert finished(ready, run) == "gate-stopped"


def test_the_ledger_out_of_reach_ends_a_run(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    run = called(ready, attempted(ready, path), MEAN)
    ready.gateway.failures["evaluate"] = [StatusFailure("UNAVAILABLE", "no connection")]
    with pytest.raises(ConsentryError) as caught:
        run.run()
    assert caught.value.code == "LEDGER_UNREACHABLE"
    record, _ = ready.gate.finish(run, "ledger-unreachable")
    assert record.computation is not None
    assert record.computation.outputs == ()


def test_outputs_that_cannot_be_recorded_wait_in_the_journal(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    attempt_id = attempted(ready, path)
    run = called(ready, attempt_id, MEAN)
    assert run.run() == "completed"
    ready.gateway.failures["endorse"] = [StatusFailure("UNAVAILABLE", "no connection")]
    record, on_ledger = ready.gate.finish(run, "completed")
    assert not on_ledger
    (noted,) = ready.gate._parts.journal.deliveries()
    ready.gate._recorder.record_noted(noted)
    (kept,) = records(ready, attempt_id)
    assert kept.computation == record.computation
    assert (kept.byte_count, kept.content_digest) == (record.byte_count, record.content_digest)


def test_a_gate_that_was_killed_records_the_run_without_outputs(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    attempt_id = attempted(ready, path)
    run = called(ready, attempt_id, MEAN)
    run.run()
    ready.gate.close()
    gate = ready.open_gate()
    gate._parts.journal.end(attempt_id, 1, "gate-restarted", run._noted.started_at)
    gate._recorder.record_noted(gate._parts.journal.deliveries()[0])
    (kept,) = records(ready, attempt_id)
    assert (kept.end, kept.row_count, kept.computation.outputs) == ("gate-restarted", COUNT, ())


def test_without_isolation_nothing_is_decided(
    bench: GateBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(_isolation: Isolation) -> Sandbox:
        raise ConfigurationError("ISOLATION_UNAVAILABLE", "functions are not run here: /a/path is missing")

    monkeypatch.setattr(Isolation, "sandbox", lacking)
    path = approved(bench, tmp_path, MEAN)
    attempt_id = attempted(bench, path)
    with pytest.raises(ConsentryError) as caught:
        called(bench, attempt_id, MEAN)
    assert caught.value.code == "ISOLATION_UNAVAILABLE"
    assert "/a/path" not in caught.value.message
    assert bench.researcher.access.get(attempt_id).decision is None


def test_no_more_functions_run_than_there_are_places(ready: GateBench, tmp_path: Path) -> None:
    path = approved(ready, tmp_path, MEAN)
    runs = [called(ready, attempted(ready, path), MEAN) for _ in range(2)]
    waiting = attempted(ready, path)
    assert refusal(lambda: called(ready, waiting, MEAN)) == "GATE_BUSY"
    assert ready.researcher.access.get(waiting).decision is None
    assert finished(ready, runs[0]) == "completed"
    assert finished(ready, called(ready, waiting, MEAN)) == "completed"
    denied = attempted(ready, path, purpose=CARE)
    for _ in range(3):
        with pytest.raises(DeniedOnLedger):
            called(ready, denied, MEAN)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"source": "x"}',
        b'{"source": 1, "parameters": {}}',
        b'{"source": "x", "parameters": []}',
        b'{"source": "x", "parameters": {"a": NaN}}',
        b'{"source": "x", "parameters": {}, "more": 1}',
        b'{"source": "\\ud800", "parameters": {}}',
        b'{"source": "x", "parameters": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        json.dumps({"source": "x" * (1 << 21), "parameters": {}}).encode(),
    ],
)
def test_other_calls_are_refused(body: bytes) -> None:
    assert refusal(lambda: read_call(body)) == "REQUEST_INVALID"


def test_what_is_no_json_is_not_sent() -> None:
    for value in (float("nan"), object(), {1, 2}):
        assert refusal(lambda value=value: write_call("x", {"a": value})) == "PARAMETERS_INVALID"
    assert refusal(lambda: write_call("x" * (1 << 21), {})) == "FUNCTION_TOO_LARGE"


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"../update": ("arrays", 10)},
        {"update": ("pickle", 10)},
        {"update": ("arrays", 0)},
        {"update": ("arrays", 1 << 40)},
    ],
)
def test_outputs_that_cannot_be_declared_are_not_registered(
    bench: GateBench, tmp_path: Path, outputs: dict[str, tuple[str, int]]
) -> None:
    path = tmp_path / "function.py"
    path.write_text(MEAN)
    assert refusal(lambda: bench.researcher.functions.register(path, outputs=outputs)) == "FIELD_INVALID"
    assert refusal(lambda: bench.researcher.functions.get(path)) == "FUNCTION_NOT_FOUND"


def test_a_function_is_a_file_that_is_there(bench: GateBench, tmp_path: Path) -> None:
    functions, missing = bench.researcher.functions, tmp_path / "missing.py"
    assert refusal(lambda: functions.register(missing, outputs=OUTPUTS)) == "CODE_UNREADABLE"
    allowed = {"versions": [bench.version.version_id], "purposes": [RESEARCH]}
    never = {**allowed, "duration": timedelta(0)}
    approve = bench.steward.functions.approve
    assert refusal(lambda: approve(missing, owner=RIVERSIDE, **never)) == "DURATION_INVALID"
    unknown = {**allowed, "duration": MONTH}
    digest = "sha256:" + "0" * 64
    assert refusal(lambda: approve(digest, owner=RIVERSIDE, **unknown)) == "FUNCTION_NOT_FOUND"
    revoke = bench.steward.functions.revoke
    assert refusal(lambda: revoke(digest, owner=RIVERSIDE)) == "FUNCTION_APPROVAL_NOT_IN_FORCE"
    assert refusal(lambda: revoke("sha256:x", owner=RIVERSIDE)) == "FIELD_INVALID"
