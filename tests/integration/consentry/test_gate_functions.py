"""Functions at a custodian's gate, a process of its own: called by client and command, stopped, on record."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, pseudonyms
from support.function_gate import (
    ENDLESS,
    OUTPUTS,
    TRAIN,
    approved_function,
    attempted,
    serving_functions,
)
from support.gate_process import deliveries, grant, held_version, post
from support.processes import all_gone, below, until
from typer.testing import CliRunner

from consentry.cli.main import app
from consentry.errors import AccessDenied, ConsentryError
from consentry.gate.arrival import DataAltered
from consentry.gate.compute.calling import FunctionStopped, compute
from consentry.gate.compute.wire import Answer, write_call
from consentry.gate.connection import GateRefused, GateUnreachable
from consentry_records import Conditions

pytestmark = [pytest.mark.integration, pytest.mark.optional_tool("bubblewrap")]
COUNT = 60
SPYING = """
def train(frame, parameters):
    try:
        rows = open(parameters["place"]).read()
    except OSError:
        return {"update": {"reached": [0]}, "metrics": {}}
    return {"update": {"reached": [1]}, "metrics": {}}
"""


@pytest.fixture(scope="module")
def gate(consortium: Any) -> Iterator[subprocess.Popen[bytes]]:
    with serving_functions(consortium) as process:
        yield process


@pytest.fixture(scope="module")
def people() -> list[str]:
    return pseudonyms(COUNT, f"patient-{os.urandom(8).hex()}")


@pytest.fixture(scope="module")
def frame(people: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"pseudonym": people, "radius": np.linspace(10, 20, COUNT)})


@pytest.fixture(scope="module")
def version(consortium: Any, frame: pd.DataFrame) -> Any:
    return held_version(consortium, frame)


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


def test_a_model_is_trained_where_the_data_is(
    gate: Any,
    researcher: Any,
    steward: Any,
    granted: Any,
    version: Any,
    function: Any,
    frame: Any,
    people: Any,
) -> None:
    steward.consents.withdraw(pseudonym=people[7])
    path, seen = function(TRAIN), []
    with researcher.training(
        model="cells", datasets=[version.version_id], purpose=RESEARCH, code=path, output="aggregate"
    ) as session:
        result = researcher.data.compute(
            version.version_id,
            function=path,
            purpose=RESEARCH,
            parameters={"weights": [1.5]},
            session_id=session.session_id,
            progress=lambda *numbers: seen.append(numbers),
        )
    expected = 1.5 + frame["radius"].drop(index=7).mean()
    assert result.outputs["update"]["weights"].tolist() == pytest.approx([expected])
    assert result.outputs["metrics"] == {"rows": COUNT - 1}
    (record,) = deliveries(researcher, result.attempt_id)
    assert record.computation == result.delivery.computation
    assert [(one.name, one.byte_count) for one in record.computation.outputs] == [
        (name, len(result.data[name])) for name in OUTPUTS
    ]
    attempt = researcher.access.get(result.attempt_id).attempt
    assert (attempt.session_id, attempt.output) == (session.session_id, "aggregate")
    assert all(of == COUNT for _, of in seen)


def test_rows_do_not_leave_under_the_same_grant(
    gate: Any, researcher: Any, granted: Any, version: Any
) -> None:
    with (
        researcher.data.open(version.version_id, purpose=RESEARCH) as rows,
        pytest.raises(AccessDenied) as caught,
    ):
        rows.frame()
    assert "OUTPUT_NOT_AGGREGATE" in [reason.code for reason in caught.value.decision.reasons]


def test_a_function_that_nobody_approved_is_denied_on_the_ledger(
    gate: Any, researcher: Any, granted: Any, version: Any, tmp_path: Path
) -> None:
    path = tmp_path / "unknown.py"
    path.write_text(TRAIN + f"# {os.urandom(8).hex()}\n")
    with pytest.raises(AccessDenied) as caught:
        researcher.data.compute(version.version_id, function=path, purpose=RESEARCH)
    assert "FUNCTION_NOT_APPROVED" in [reason.code for reason in caught.value.decision.reasons]


def test_the_gates_own_files_are_not_there(
    gate: Any, consortium: Any, researcher: Any, granted: Any, version: Any, function: Any
) -> None:
    path = function(SPYING)
    for place in (consortium.directory / "custody" / "northgate", Path(f"/proc/{gate.pid}/environ")):
        result = researcher.data.compute(
            version.version_id, function=path, purpose=RESEARCH, parameters={"place": str(place)}
        )
        assert result.outputs["update"]["reached"].tolist() == [0]


@contextmanager
def calling(gate: Any, researcher: Any, version: Any, path: Path) -> Iterator[tuple[str, list[Any]]]:
    """A call whose function is running: its attempt, and in the end how it ended."""
    attempt_id, ends = attempted(researcher, version, path), []
    connection, call = researcher.data._connection("NorthgateMSP"), write_call(path.read_text(), {})

    def run() -> None:
        try:
            ends.append(compute(researcher.transactions, connection, attempt_id, call))
        except ConsentryError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    # bubblewrap, the first process of its namespace, and the function's
    assert until(lambda: len(below(gate.pid)) == 3 or bool(ends))
    yield attempt_id, ends
    thread.join(timeout=60)
    connection.close()


def test_a_revoked_approval_stops_a_running_function(
    gate: Any, steward: Any, researcher: Any, granted: Any, version: Any, function: Any
) -> None:
    path = function(ENDLESS)
    with calling(gate, researcher, version, path) as (attempt_id, ends):
        processes = below(gate.pid)
        steward.functions.revoke(path, owner="RiversideMSP")
    assert isinstance(ends[0], FunctionStopped), ends
    assert ends[0].end == deliveries(researcher, attempt_id)[0].end == "permit-overtaken"
    assert len(processes) == 3
    assert all_gone(processes)


def test_a_gate_that_alters_outputs_is_found_out(
    gate: Any, researcher: Any, granted: Any, version: Any, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = Answer.take
    monkeypatch.setattr(Answer, "take", lambda answer, size: true(answer, size)[:-1] + b"\x00")
    with pytest.raises(DataAltered) as caught:
        researcher.data.compute(
            version.version_id, function=function(TRAIN), purpose=RESEARCH, parameters={"weights": [0]}
        )
    assert caught.value.code == "DELIVERY_DIFFERS"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{}", 400, "REQUEST_INVALID"),
        (b'{"source": "x", "parameters": {}}', 404, "ATTEMPT_NOT_FOUND"),
        (b" " * (9 << 20), 413, "REQUEST_TOO_LARGE"),
    ],
)
def test_hostile_calls_are_refused(
    gate: Any, consortium: Any, researcher: Any, body: bytes, status: int, code: str
) -> None:
    path = f"/v1/attempts/attempt-{'0' * 32}/computation"
    answer = post(consortium, researcher.identity, path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_commands_go_together(
    gate: Any, consortium: Any, granted: Any, version: Any, tmp_path: Path
) -> None:
    path, to = tmp_path / "train.py", tmp_path / "outputs"
    path.write_text(f"{TRAIN}# {os.urandom(8).hex()}\n")
    (tmp_path / "parameters.json").write_text('{"weights": [0.5]}')

    def command(who: str, *arguments: str) -> str:
        result = CliRunner().invoke(app, ["--network", str(consortium.directory), "--as", who, *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    declared = ("--output", "update=arrays:4096", "--output", "metrics=metrics:1024")
    registered = command("riverside/researcher", "data", "register-function", str(path), *declared)
    assert "is registered" in registered
    allowed = ("--version", version.version_id, "--purpose", RESEARCH, "--duration", "30d")
    approved = command("northgate/steward", "gate", "approve", str(path), "--owner", "RiversideMSP", *allowed)
    assert "is approved until" in approved
    shown = command("riverside/researcher", "data", "approvals", str(path), "--json")
    assert [one["custodian"] for one in json.loads(shown)["items"]] == ["NorthgateMSP"]
    call = (version.version_id, str(path), "--purpose", RESEARCH, "--to", str(to))
    parameters = ("--parameters", str(tmp_path / "parameters.json"))
    ran = command("riverside/researcher", "data", "compute", *call, *parameters, "--json")
    attempt = ("--attempt", json.loads(ran)["attempt_id"])
    again = command("riverside/researcher", "data", "compute", *call, *parameters, *attempt)
    assert "The function ran on" in again
    with np.load(to / "update.npz", allow_pickle=False) as arrays:
        assert arrays["weights"].shape == (1,)
    assert '"rows"' in (to / "metrics.json").read_text()
    revoked = command("northgate/steward", "gate", "revoke", str(path), "--owner", "RiversideMSP")
    assert "is revoked" in revoked


def test_a_gate_killed_during_a_run_leaves_nothing_running_and_records_it_when_back(
    gate: Any, consortium: Any, researcher: Any, granted: Any, version: Any, function: Any
) -> None:
    with calling(gate, researcher, version, function(ENDLESS)) as (attempt_id, ends):
        processes = below(gate.pid)
        gate.kill()
        gate.wait()
    assert isinstance(ends[0], GateUnreachable), ends
    assert len(processes) == 3
    assert all_gone(processes)
    with serving_functions(consortium):
        (record,) = deliveries(researcher, attempt_id)
    assert (record.end, record.computation.outputs) == ("gate-restarted", ())


def test_the_gate_says_that_functions_are_run_and_nothing_of_people(
    consortium: Any, people: list[str], gate: Any
) -> None:
    log = (consortium.directory / "logs" / "gate-functions.log").read_text()
    assert "in a sandbox; a hostile one reached nothing" in log
    assert [name for name in people if name in log] == []


def test_where_there_is_no_isolation_the_call_is_refused(
    gate: Any,
    consortium: Any,
    researcher: Any,
    granted: Any,
    version: Any,
    function: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    gate.terminate()  # one gate at a time
    gate.wait()
    path = function(TRAIN)
    monkeypatch.setenv("PATH", str(tmp_path))
    with serving_functions(consortium), pytest.raises(GateRefused) as caught:
        researcher.data.compute(version.version_id, function=path, purpose=RESEARCH)
    assert caught.value.code == "ISOLATION_UNAVAILABLE"
    log = (consortium.directory / "logs" / "gate-functions.log").read_text()
    assert "install the package bubblewrap" in log
