"""Functions at a custodian's gate, a process of its own: called by client and command, stopped, on record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.processes import all_gone, below, until
from typer.testing import CliRunner

from consentry.cli.main import app
from consentry.errors import AccessDenied, ConsentryError, InputRejected
from consentry.gate.address import GateAddress
from consentry.gate.arrival import DataAltered
from consentry.gate.compute.calling import FunctionStopped, compute
from consentry.gate.compute.wire import Answer, write_call
from consentry.gate.connection import GateRefused, GateUnreachable
from consentry.gate.places import GatePlaces
from consentry.provenance import code_digest
from consentry.request_signatures import signed_headers
from consentry_records import Conditions
from consentry_records.delivery import Delivery

pytestmark = [pytest.mark.integration, pytest.mark.optional_tool("bubblewrap")]
MONTH = timedelta(days=30)
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
COUNT = 60
OPTIONS = ("--function-memory", "3072", "--function-wait", "5")
OUTPUTS = {"update": ("arrays", 4096), "metrics": ("metrics", 1024)}
TRAIN = """
import numpy as np

def train(frame, parameters):
    features = frame[["radius"]].to_numpy()
    weights = np.array(parameters["weights"]) + features.mean(axis=0)
    return {"update": {"weights": weights}, "metrics": {"rows": len(frame)}}
"""
ENDLESS = "def train(frame, parameters):\n    while True:\n        pass\n"
SLOW = """
import time

def train(frame, parameters):
    time.sleep(parameters["seconds"])
    return {"update": {"mean": [frame["radius"].mean()]}, "metrics": {"rows": len(frame)}}
"""
SPYING = """
def train(frame, parameters):
    try:
        rows = open(parameters["place"]).read()
    except OSError:
        return {"update": {"reached": [0]}, "metrics": {}}
    return {"update": {"reached": [1]}, "metrics": {}}
"""


@contextmanager
def serving(consortium: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A gate of northgate's, by the installed command."""
    consortium.identity("northgate", "service")
    address = GateAddress.file(consortium.profile, "northgate")
    address.unlink(missing_ok=True)
    arguments = ["--network", str(consortium.directory), "--as", "northgate/service", "gate", "serve"]
    log = consortium.directory / "logs" / "gate-functions.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "consentry", *arguments, *OPTIONS],
            stdout=output,
            stderr=output,
        )
    try:
        assert until(lambda: address.exists() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) is not None


@pytest.fixture(scope="module")
def gate(consortium: Any) -> Iterator[subprocess.Popen[bytes]]:
    with serving(consortium) as process:
        yield process


@pytest.fixture(scope="module")
def people() -> list[str]:
    return pseudonyms(COUNT, f"patient-{os.urandom(8).hex()}")


@pytest.fixture(scope="module")
def frame(people: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"pseudonym": people, "radius": np.linspace(10, 20, COUNT)})


@pytest.fixture(scope="module")
def version(consortium: Any, people: list[str], frame: pd.DataFrame) -> Any:
    """A version of northgate's that its gate holds, granted to riverside for aggregates alone."""
    with consortium.ledger("northgate", "steward") as steward:
        steward.consents.import_frame(consent_frame(people), batch_size=100)
        made = steward.datasets.register_frame(frame, name=f"cells-{os.urandom(6).hex()}", **TERMS)
        rows = steward.datasets.registered_rows(made.version_id)
        store = GatePlaces.of(consortium.profile, "northgate").store()
        store.put(made, [frame], rows, steward.datasets.secret(made.name).secret)
    return made


@pytest.fixture
def steward(ledger_of: Any) -> Any:
    return ledger_of("northgate", "steward")


@pytest.fixture
def researcher(ledger_of: Any) -> Any:
    return ledger_of("riverside", "researcher")


@pytest.fixture
def granted(steward: Any, researcher: Any, version: Any) -> Iterator[Any]:
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    given = steward.grants.grant(
        request.request_id,
        versions=[version.version_id],
        purposes=[RESEARCH],
        duration=MONTH,
        conditions=Conditions(aggregate_output_only=True),
    )
    yield given
    if steward.grants.get(given.grant_id).state == "active":
        steward.grants.revoke(given.grant_id)


@pytest.fixture
def function(steward: Any, researcher: Any, version: Any, tmp_path: Path) -> Any:
    """Makes a function that is registered and approved; each has a digest of its own."""

    def make(source: str) -> Path:
        path = tmp_path / "function.py"
        path.write_text(f"{source}\n# {os.urandom(8).hex()}\n")
        researcher.functions.register(path, outputs=OUTPUTS)
        steward.functions.approve(
            path, owner="RiversideMSP", versions=[version.version_id], purposes=[RESEARCH], duration=MONTH
        )
        return path

    return make


def deliveries(ledger: Any, attempt_id: str) -> list[Delivery]:
    found: list[Delivery] = []

    def is_there() -> bool:
        documents = ledger.transactions.evaluate("deliveries:of_attempt", attempt_id)
        found[:] = [Delivery.from_dict(one) for one in documents]
        return bool(found)

    assert until(is_there)
    return found


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


def attempted(researcher: Any, version: Any, path: Path) -> str:
    return str(
        researcher.access.attempt(
            version.version_id, purpose=RESEARCH, output="aggregate", function_digest=code_digest(path)
        )
    )


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


def begun_and_broken(consortium: Any, researcher: Any, version: Any, path: Path, parameters: Any) -> str:
    """The attempt of a call whose connection breaks off while the function runs."""
    attempt_id = attempted(researcher, version, path)
    address, body = GateAddress.of(consortium.profile, "northgate"), write_call(path.read_text(), parameters)
    place = f"/v1/attempts/{attempt_id}/computation"
    headers = signed_headers(researcher.identity, "NorthgateMSP", "POST", place, body, int(time.time()))
    with (
        httpx.Client(base_url=address.url, verify=address.tls(), trust_env=False, timeout=60) as client,
        client.stream("POST", place, content=body, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert next(response.iter_lines())
    return attempt_id


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
    address = GateAddress.of(consortium.profile, "northgate")
    path = f"/v1/attempts/attempt-{'0' * 32}/computation"
    headers = signed_headers(researcher.identity, "NorthgateMSP", "POST", path, body, int(time.time()))
    with httpx.Client(base_url=address.url, verify=address.tls(), trust_env=False) as client:
        answer = client.post(path, content=body, headers=headers)
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
    with serving(consortium):
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
    with serving(consortium), pytest.raises(GateRefused) as caught:
        researcher.data.compute(version.version_id, function=path, purpose=RESEARCH)
    assert caught.value.code == "ISOLATION_UNAVAILABLE"
    log = (consortium.directory / "logs" / "gate-functions.log").read_text()
    assert "install the package bubblewrap" in log
