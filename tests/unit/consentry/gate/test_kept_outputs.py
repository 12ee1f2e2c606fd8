"""What a run gave stays there for who lost the connection: for him, under his permit, and no longer."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.consent_frames import RESEARCH
from support.gate_bench import MONTH, NORTHGATE, RIVERSIDE, GateBench

from consentry.errors import ConsentryError
from consentry.gate.compute import running
from consentry.gate.compute.calls import Given
from consentry.gate.compute.isolation import Isolation
from consentry.gate.compute.running import FunctionRun, output_digest
from consentry.gate.compute.wire import read_call, write_call
from consentry.gate.storage import StorageFailed
from consentry_records.delivery import Delivery
from consentry_records.instants import format_instant
from fabric_gateway.failures import StatusFailure

SOURCE = "def train(frame, parameters):\n    return {}\n"
OUTPUTS = {"update": ("arrays", 4096), "metrics": ("metrics", 1024)}
LEFT = {"update": b"weights" * 20, "metrics": b'{"loss":0.5}'}


@pytest.fixture
def ready(bench: GateBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> GateBench:
    """A gate without a sandbox: what a run gave is known beforehand, its rows are given to nobody."""
    environment: Any = type("Environment", (), {"digest": "sha256:" + "0" * 64})
    sandbox: Any = type("Sandbox", (), {"environment": environment})
    monkeypatch.setattr(Isolation, "sandbox", lambda _isolation: sandbox)
    monkeypatch.setattr(running, "Run", lambda _sandbox, _order: None)
    path = tmp_path / "function.py"
    path.write_text(SOURCE)
    bench.researcher.functions.register(path, outputs=OUTPUTS)
    bench.steward.functions.approve(
        path, owner=RIVERSIDE, versions=[bench.version.version_id], purposes=[RESEARCH], duration=MONTH
    )
    bench.gateway.memory.advance(timedelta(seconds=3))
    return bench


def attempted(bench: GateBench, **changes: Any) -> str:
    digest = "sha256:" + hashlib.sha256(SOURCE.encode()).hexdigest()
    return bench.attempt(**{"function_digest": digest, "output": "aggregate", **changes})


def called(bench: GateBench, attempt_id: str, caller: Any = None) -> FunctionRun | Given:
    by = bench.gate.caller(bench.request(attempt_id, caller))
    return bench.gate.compute(attempt_id, read_call(write_call(SOURCE, {"by": 1})), by)


def completed(bench: GateBench, attempt_id: str, end: str = "completed") -> FunctionRun:
    """A run that has given its outputs; who asked for it got none of them."""
    run = called(bench, attempt_id)
    assert isinstance(run, FunctionRun)
    assert sum(batch.num_rows for batch in run._batches())
    run.outputs = dict(LEFT)
    assert bench.gate.finish(run, end)[1]
    return run


def refusal(call: Any) -> str:
    with pytest.raises(ConsentryError) as caught:
        call()
    return caught.value.code


def records(bench: GateBench, attempt_id: str) -> list[Delivery]:
    found = bench.researcher.transactions.evaluate("deliveries:of_attempt", attempt_id)
    return [Delivery.from_dict(one) for one in found]


def kept(bench: GateBench) -> list[str]:
    names = bench.places.store().names(bench.version.version_id)
    return [name for name in names if name.startswith("outputs-")]


def test_outputs_are_there_again_under_the_same_use(ready: GateBench) -> None:
    attempt_id = attempted(ready)
    run = completed(ready, attempt_id)
    for _ in range(2):
        given = called(ready, attempt_id)
        assert isinstance(given, Given)
        assert given.outputs == tuple(LEFT.values())
        assert (given.ended.recorded, given.ended.key) == (True, run.key)
        assert [one.digest for one in given.ended.computation.outputs] == [
            output_digest(run.key, name, data) for name, data in LEFT.items()
        ]
    (record,) = records(ready, attempt_id)
    assert given.ended.delivery.content_digest == record.content_digest
    assert ready.gateway.calls.count(("endorse", "access:decide")) == 1
    # No place is taken for that.
    assert all(ready.gate._calls._isolation.places.acquire(blocking=False) for _ in range(2))


def test_they_outlive_the_gate_and_are_unreadable_at_rest(ready: GateBench, tmp_path: Path) -> None:
    attempt_id = attempted(ready)
    completed(ready, attempt_id)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files for data in LEFT.values() if data in path.read_bytes()]
    ready.gate.close()
    ready.gate = ready.open_gate()
    ready.gateway.memory.advance(timedelta(seconds=1))
    again = called(ready, attempt_id)
    assert isinstance(again, Given)
    assert again.outputs == tuple(LEFT.values())


def test_they_are_for_the_caller_alone(ready: GateBench, ledger_of: Any) -> None:
    attempt_id = attempted(ready)
    completed(ready, attempt_id)
    for other in (ledger_of(RIVERSIDE, "researcher"), ledger_of(NORTHGATE, "researcher")):
        assert refusal(lambda other=other: called(ready, attempt_id, other)) == "ATTEMPT_OF_ANOTHER"


def test_they_end_with_the_permit(ready: GateBench) -> None:
    attempt_id = attempted(ready)
    completed(ready, attempt_id)
    ends = ready.researcher.access.get(attempt_id).decision.permit_not_after
    assert len(kept(ready)) == len(LEFT)
    now = format_instant(ready.gateway.memory.time)
    assert ready.gate._calls.kept.drop_ended(now) == 0
    ready.gateway.memory.advance(timedelta(days=31))
    assert refusal(lambda: called(ready, attempt_id)) == "PERMIT_ENDED"
    assert ends < format_instant(ready.gateway.memory.time)
    ready.gate._drop_ended()
    assert kept(ready) == []


@pytest.mark.parametrize("change", ["approval", "grant", "suspension"])
def test_what_is_taken_back_gives_nothing_again(ready: GateBench, ledger_of: Any, change: str) -> None:
    attempt_id = attempted(ready)
    completed(ready, attempt_id)
    if change == "approval":
        digest = "sha256:" + hashlib.sha256(SOURCE.encode()).hexdigest()
        ready.steward.functions.revoke(digest, owner=RIVERSIDE)
    elif change == "grant":
        ready.steward.grants.revoke(ready.grant.grant_id)
    else:
        ledger_of("RegulatorMSP", "regulator").grants.suspend(ready.grant.grant_id)
    assert refusal(lambda: called(ready, attempt_id)) == "PERMIT_OVERTAKEN"


def test_a_run_that_gave_nothing_says_so_again_and_is_not_run_again(ready: GateBench) -> None:
    attempt_id = attempted(ready)
    completed(ready, attempt_id, "recipient-gone")
    assert kept(ready) == []
    given = called(ready, attempt_id)
    assert isinstance(given, Given)
    assert (given.ended.delivery.end, given.outputs, given.ended.key) == ("recipient-gone", (), b"")
    assert len(records(ready, attempt_id)) == 1


def test_what_waits_for_its_record_is_given_once_it_is_on_the_ledger(ready: GateBench) -> None:
    attempt_id = attempted(ready)
    run = called(ready, attempt_id)
    assert isinstance(run, FunctionRun)
    assert list(run._batches())
    run.outputs = dict(LEFT)
    ready.gateway.failures["endorse"] = [StatusFailure("UNAVAILABLE", "no connection")] * 2
    assert not ready.gate.finish(run, "completed")[1]
    assert refusal(lambda: called(ready, attempt_id)) == "NOT_RECORDED"
    given = called(ready, attempt_id)
    assert isinstance(given, Given)
    assert given.outputs == tuple(LEFT.values())
    assert [one.end for one in records(ready, attempt_id)] == ["completed"]


def test_altered_or_lost_outputs_are_not_given(ready: GateBench, tmp_path: Path) -> None:
    attempt_id, other = attempted(ready), attempted(ready)
    completed(ready, attempt_id)
    place = tmp_path / "storage" / ready.version.version_id
    first, second = (place / name for name in kept(ready))
    true = first.read_bytes()
    first.write_bytes(true[:-1] + bytes([true[-1] ^ 1]))
    assert refusal(lambda: called(ready, attempt_id)) == "STORE_DAMAGED"
    first.write_bytes(second.read_bytes())
    assert refusal(lambda: called(ready, attempt_id)) == "STORE_DAMAGED"
    first.unlink()
    assert refusal(lambda: called(ready, attempt_id)) == "DELIVERY_BEGUN"
    assert isinstance(called(ready, other), FunctionRun)


def test_outputs_that_cannot_be_kept_leave_all_the_same(
    ready: GateBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_arguments: Any) -> None:
        raise StorageFailed("STORAGE_FAILED", "the storage failed: full")

    attempt_id = attempted(ready)
    monkeypatch.setattr(type(ready.gate._store), "keep", fails)
    run = completed(ready, attempt_id)
    assert run.outputs == LEFT
    assert "are not kept: STORAGE_FAILED" in caplog.text
    assert refusal(lambda: called(ready, attempt_id)) == "DELIVERY_BEGUN"


def test_an_erased_version_gives_nothing_again(ready: GateBench) -> None:
    attempt_id = attempted(ready)
    completed(ready, attempt_id)
    ready.places.store().erase(ready.version.version_id)
    assert refusal(lambda: called(ready, attempt_id)) == "VERSION_NOT_HELD"
    ready.gate._drop_ended()
