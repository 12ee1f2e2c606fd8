"""A gate, a process of its own, that is lied to, cut off from its ledger, out of time, or lies itself."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.consent_frames import RESEARCH, pseudonyms
from support.gate_process import (
    BLOCK_ROWS,
    begun,
    delay_file,
    deliveries,
    grant,
    held_version,
    post,
    rows_of,
    serving,
    signed,
)

from consentry.data import DeliveryStopped
from consentry.errors import ConsentryError, NetworkRefused
from consentry.gate.arrival import DataAltered
from consentry.gate.places import GatePlaces
from consentry.gate.service import Gate
from consentry.request_signatures import SignedRequest

pytestmark = pytest.mark.integration
COUNT = 300


@pytest.fixture(scope="module")
def gate(consortium: Any) -> Iterator[Any]:
    with serving(consortium) as process:
        yield process


@pytest.fixture(scope="module")
def version(consortium: Any) -> Any:
    return held_version(consortium, rows_of(pseudonyms(COUNT, f"patient-{os.urandom(8).hex()}")))


@pytest.fixture
def slow(consortium: Any, gate: Any) -> Iterator[Path]:
    """Blocks take a while each: a stream is under way when something happens."""
    place = delay_file(consortium)
    place.write_text("1.5")
    yield place
    place.write_text("0")


@pytest.fixture
def granted(steward: Any, researcher: Any, version: Any) -> Iterator[Any]:
    given = grant(steward, researcher, version)
    yield given
    steward.grants.revoke(given.grant_id)


def test_a_request_counts_once_and_for_what_was_signed_alone(
    gate: Any, consortium: Any, researcher: Any, ledger_of: Any
) -> None:
    path, body = f"/v1/attempts/attempt-{'0' * 32}/rows", b'{"token": null}'
    headers = signed(researcher.identity, path, body)

    def code(at: str = path, **changes: Any) -> str:
        answer = post(consortium, researcher.identity, at, body, headers=headers, **changes)
        assert answer.status_code in (401, 404)
        return str(answer.json()["code"])

    assert code(sent=b'{"token": ""}') == "REQUEST_ALTERED"
    assert code(path.replace("0" * 32, "1" * 32)) == "SIGNATURE_INVALID"
    assert code(path.replace("rows", "aggregates")) == "SIGNATURE_INVALID"
    true = headers
    assert code() == "ATTEMPT_NOT_FOUND"
    assert code() == "REQUEST_REPLAYED"
    other = signed(ledger_of("lakeside", "researcher").identity, path, body)
    for name in true:
        headers = {**true, name: other[name]}
        assert code() in ("SIGNATURE_INVALID", "SIGNATURE_MISSING", "REQUEST_ALTERED", "REQUEST_REPLAYED"), (
            name
        )
        headers = {key: value for key, value in true.items() if key != name}
        assert code() == "SIGNATURE_MISSING", name


def test_the_regulators_suspension_stops_a_running_stream(
    slow: Path, researcher: Any, ledger_of: Any, granted: Any, version: Any
) -> None:
    stream, batches, _ = begun(researcher, version)
    regulator = ledger_of("regulator", "regulator")
    regulator.grants.suspend(granted.grant_id)
    with pytest.raises(DeliveryStopped) as caught:
        list(batches)
    stream.close()
    regulator.grants.lift_suspension(granted.grant_id)
    (record,) = deliveries(researcher, stream.attempt_id)
    assert caught.value.end == record.end == "permit-overtaken"
    assert record.row_count == stream.rows < COUNT / 2


@contextmanager
def silent(consortium: Any) -> Iterator[None]:
    """The processes that answer the gate's questions say nothing."""

    def tell(number: int) -> None:
        for name in consortium.engine_processes:
            place = Path(consortium.directory) / "run" / f"{name}.json"
            os.kill(int(json.loads(place.read_bytes())["pid"]), number)

    tell(signal.SIGSTOP)
    try:
        yield
    finally:
        tell(signal.SIGCONT)


def test_without_the_ledger_nothing_goes_on_and_what_had_left_is_recorded_when_it_is_back(
    slow: Path, consortium: Any, researcher: Any, granted: Any, version: Any
) -> None:
    waiting = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    stream, batches, came = begun(researcher, version)
    with silent(consortium):
        time.sleep(8)
        rows = stream.rows
    with pytest.raises(DeliveryStopped) as caught:
        came.extend(batches)
    stream.close()
    (record,) = deliveries(researcher, stream.attempt_id)
    assert caught.value.end == record.end == "ledger-unreachable"
    assert record.row_count == stream.rows <= rows + 2 * BLOCK_ROWS < COUNT / 2
    slow.write_text("0")
    again = researcher.data.open(version.version_id, purpose=RESEARCH, attempt_id=stream.attempt_id)
    again.resume(stream.token, stream.next_row)
    with again:
        came.extend(again.batches())
    assert sum(batch.num_rows for batch in came) == COUNT
    with researcher.data.open(version.version_id, purpose=RESEARCH, attempt_id=waiting) as rows_later:
        assert len(rows_later.frame()) == COUNT


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_gate_whose_clock_is_wrong_by_an_hour_serves_nothing(
    consortium: Any, ledger_of: Any, researcher: Any, tmp_path: Path, granted: Any, version: Any, hours: int
) -> None:
    wrong = [timedelta(0)]
    clock = lambda: datetime.now(UTC) + wrong[0]  # noqa: E731
    places = GatePlaces(tmp_path / "custody", str(tmp_path / "storage"))
    own = held_version(consortium, rows_of(pseudonyms(30, f"patient-{os.urandom(8).hex()}")), places)
    service = ledger_of("northgate", "service", clock=clock)
    attempt = researcher.access.attempt(own.version_id, purpose=RESEARCH)
    decided = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    assert researcher.access.wait_for_decision(decided).permits
    path, body = f"/v1/attempts/{attempt}/rows", b'{"token": null}'
    gate = Gate(service, places, clock)
    try:
        caller = gate.caller(SignedRequest("POST", path, signed(researcher.identity, path, body), body))
        wrong[0] = timedelta(hours=hours)
        codes = set()
        for call in (
            lambda: gate.caller(SignedRequest("POST", path, signed(researcher.identity, path, body), body)),
            lambda: gate.deliver(attempt, None, caller),
            lambda: gate.deliver(decided, None, caller),
        ):
            with pytest.raises(ConsentryError) as caught:
                call()
            codes.add(caught.value.code)
        # An hour ago the caller's certificate was not valid yet.
        refusals = {"REQUEST_TIME_REFUSED", "CALLER_UNKNOWN", "PROPOSAL_TIME_REFUSED", "VERSION_NOT_HELD"}
        assert codes <= refusals
        assert "PROPOSAL_TIME_REFUSED" in codes
    finally:
        gate.close()
    with pytest.raises(NetworkRefused, match="PROPOSAL_TIME"):
        Gate(service, places, clock)
    assert researcher.transactions.evaluate("deliveries:of_attempt", attempt) == []


def test_a_custodian_that_serves_an_altered_row_is_found_out_and_put_on_record(
    gate: Any, consortium: Any, researcher: Any, ledger_of: Any, granted: Any, version: Any
) -> None:
    delay_file(consortium).write_text("0 5")
    try:
        with researcher.data.open(version.version_id, purpose=RESEARCH) as stream:
            with pytest.raises(DataAltered) as caught:
                stream.frame()
            assert (caught.value.code, caught.value.fields["row"], stream.rows) == ("DATA_ALTERED", 5, 0)
    finally:
        delay_file(consortium).write_text("0")
    officer = ledger_of("riverside", "dpo")
    made = officer.breaches.record(
        aware_at=datetime.now(UTC),
        natures=["integrity"],
        categories=["imaging"],
        subject_count=1,
        record_count=1,
        facts=json.dumps(caught.value.fields).encode(),
    )
    assert officer.breaches.get(made.breach_id).events[0].event == "recorded"
