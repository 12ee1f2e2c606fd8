"""The decision service: every attempt once, through kills, conflicts and restarts of the ledger."""

import json
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame

from consentry.decider import DecisionService, serve
from consentry.decision_checkpoint import DecisionCheckpoint
from consentry.errors import ConfigurationError, LedgerRefused, LedgerUnreachable
from consentry_records.errors import LedgerError, to_wire
from fabric_gateway import ErrorDetail
from fabric_gateway.failures import StatusFailure

NORTHGATE = "NorthgateMSP"
RIVERSIDE = "RiversideMSP"
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"]}
GONE = StatusFailure("UNAVAILABLE", "connection refused")


@pytest.fixture
def version(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    frame = pd.DataFrame({"pseudonym": ["p"], "radius": [17.99]})
    return steward.datasets.register_frame(frame, name="cells", **TERMS).version_id


@pytest.fixture
def researcher(ledger_of):
    return ledger_of(RIVERSIDE, "researcher")


@pytest.fixture
def checkpoint(tmp_path):
    return tmp_path / "decider" / "checkpoint.json"


class Running:
    """A decision service in a thread, ended by leaving the block."""

    def __init__(self, ledger, checkpoint: Path) -> None:
        self.stop = threading.Event()
        self.failure: Exception | None = None
        self._service = DecisionService(ledger, checkpoint)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._service.run(self.stop)
        except Exception as error:
            self.failure = error

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()


def decisions(gateway) -> int:
    """How many decisions were committed."""
    counted = 0
    for _, _, name, payload in gateway.events:
        if name in ("AccessDecided.v1", "AccessBatchDecided.v1"):
            counted += json.loads(payload).get("count", 1)
    return counted


def batches(gateway) -> int:
    return gateway.calls.count(("endorse", "access:decide_batch"))


def test_attempts_made_while_it_was_down_are_decided_each_once(
    gateway, ledger_of, researcher, version, checkpoint
):
    attempts = [researcher.access.attempt(version, purpose=RESEARCH) for _ in range(3)]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        for attempt in attempts:
            assert researcher.access.wait_for_decision(attempt, timeout=60).outcome == "deny"
    assert decisions(gateway) == len(attempts)


def waiting_attempts(gateway, researcher, version, checkpoint, count: int) -> list[str]:
    """Attempts that a service will find open when it starts."""
    noted = DecisionCheckpoint(checkpoint, "consentry")
    attempts = []
    for _ in range(count):
        attempts.append(researcher.access.attempt(version, purpose=RESEARCH))
        noted.note(gateway.events[-1][0], attempts[-1])
    return attempts


def test_attempts_that_wait_together_are_decided_in_one_transaction(
    gateway, ledger_of, researcher, version, checkpoint
):
    attempts = waiting_attempts(gateway, researcher, version, checkpoint, 5)
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        for attempt in attempts:
            assert researcher.access.wait_for_decision(attempt, timeout=60).outcome == "deny"
    assert (batches(gateway), gateway.calls.count(("endorse", "access:decide"))) == (1, 0)
    assert decisions(gateway) == 5


def test_one_that_was_decided_before_does_not_hold_up_the_others(
    gateway, ledger_of, researcher, version, checkpoint
):
    attempts = waiting_attempts(gateway, researcher, version, checkpoint, 3)
    service = ledger_of(NORTHGATE, "service")
    service.transactions.submit("access:decide", attempts[1])
    with Running(service, checkpoint):
        wait_until(lambda: json.loads(checkpoint.read_bytes())["open"] == [])
    assert batches(gateway) == 1
    assert decisions(gateway) == 3


def test_decisions_voided_together_are_made_again_one_by_one(
    gateway, ledger_of, researcher, version, checkpoint
):
    steward = ledger_of(NORTHGATE, "steward")
    attempts = waiting_attempts(gateway, researcher, version, checkpoint, 3)
    gateway.before_commit = [lambda: steward.consents.withdraw(pseudonym="p")]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        for attempt in attempts:
            assert len(researcher.access.wait_for_decision(attempt, timeout=60).epoch) == 64
    assert (batches(gateway), gateway.calls.count(("endorse", "access:decide"))) == (1, 3)
    assert decisions(gateway) == 3


def test_after_a_restart_nothing_is_decided_twice(gateway, ledger_of, researcher, version, checkpoint):
    first = researcher.access.attempt(version, purpose=RESEARCH)
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        researcher.access.wait_for_decision(first, timeout=60)
    second = researcher.access.attempt(version, purpose=RESEARCH)
    gateway.calls.clear()
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        researcher.access.wait_for_decision(second, timeout=60)
    assert gateway.calls.count(("endorse", "access:decide")) == 1
    assert decisions(gateway) == 2
    assert json.loads(checkpoint.read_bytes())["open"] == []


def test_a_kill_between_commit_and_checkpoint_counts_as_done(
    gateway, ledger_of, researcher, version, checkpoint
):
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    service = ledger_of(NORTHGATE, "service")
    service.transactions.submit("access:decide", attempt)
    # What a kill leaves: the attempt is noted as open, its decision is on the ledger.
    DecisionCheckpoint(checkpoint, "consentry").note(gateway.events[-2][0], attempt)
    with Running(service, checkpoint):
        wait_until(lambda: json.loads(checkpoint.read_bytes())["open"] == [])
    assert decisions(gateway) == 1


def test_a_lost_checkpoint_means_more_work_and_no_second_decision(
    gateway, ledger_of, researcher, version, checkpoint
):
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        researcher.access.wait_for_decision(attempt, timeout=60)
    checkpoint.unlink()
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        wait_until(lambda: checkpoint.exists() and json.loads(checkpoint.read_bytes())["open"] == [])
    assert decisions(gateway) == 1


def test_a_decision_voided_by_a_conflict_is_made_again(gateway, ledger_of, researcher, version, checkpoint):
    steward = ledger_of(NORTHGATE, "steward")
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    # The withdrawal commits between the decision's endorsement and its commit: the epoch has moved.
    gateway.before_commit = [lambda: steward.consents.withdraw(pseudonym="p")]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        decision = researcher.access.wait_for_decision(attempt, timeout=60)
    assert gateway.calls.count(("endorse", "access:decide")) == 2
    assert len(decision.epoch) == 64
    assert decisions(gateway) == 1


def test_it_goes_on_after_restarts_of_the_ledger(gateway, ledger_of, researcher, version, checkpoint):
    gateway.failures["chaincode_events"] = [GONE]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        first = researcher.access.attempt(version, purpose=RESEARCH)
        researcher.access.wait_for_decision(first, timeout=60)
        gateway.break_streams()
        gateway.failures["chaincode_events"] = [GONE]
        second = researcher.access.attempt(version, purpose=RESEARCH)
        researcher.access.wait_for_decision(second, timeout=60)
    assert decisions(gateway) == 2


def test_a_decision_that_cannot_be_made_now_is_made_later(
    gateway, ledger_of, researcher, version, checkpoint
):
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    gateway.failures["endorse"] = [GONE, GONE]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        researcher.access.wait_for_decision(attempt, timeout=60)
    assert gateway.calls.count(("endorse", "access:decide")) == 3


def test_an_unknown_outcome_is_never_decided_twice(gateway, ledger_of, researcher, version, checkpoint):
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    gateway.failures["submit"] = [StatusFailure("DEADLINE_EXCEEDED", "slow")]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        researcher.access.wait_for_decision(attempt, timeout=60)
    assert decisions(gateway) == 1


@pytest.mark.parametrize("code", ["ATTEMPT_NOT_FOUND", "ATTEMPT_ALREADY_DECIDED", "ROLE_REQUIRED"])
def test_another_organizations_refusal_settles_nothing(
    gateway, ledger_of, researcher, version, checkpoint, code
):
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    words = to_wire(LedgerError(code, {}, "refused"))
    said = ErrorDetail("peer:7051", RIVERSIDE, f"chaincode response 404, {words}")
    gateway.failures["endorse"] = [StatusFailure("ABORTED", "failed to collect enough endorsements", (said,))]
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        assert researcher.access.wait_for_decision(attempt, timeout=60).outcome == "deny"
    assert decisions(gateway) == 1


def test_attempts_at_others_data_are_left_to_them(gateway, ledger_of, researcher, version, checkpoint):
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    gateway.calls.clear()
    with Running(ledger_of(RIVERSIDE, "service"), checkpoint):
        time.sleep(0.3)
    assert ("endorse", "access:decide") not in gateway.calls
    assert researcher.access.get(attempt).decision is None


def test_a_service_without_the_role_stops_with_the_reason(
    gateway, ledger_of, researcher, version, checkpoint
):
    researcher.access.attempt(version, purpose=RESEARCH)
    running = Running(ledger_of(NORTHGATE, "steward"), checkpoint)
    with running:
        running.thread.join(timeout=60)
    assert isinstance(running.failure, LedgerRefused)
    assert running.failure.code == "ROLE_REQUIRED"
    assert len(json.loads(checkpoint.read_bytes())["open"]) == 1


def test_sigterm_ends_the_service(ledger_of, checkpoint):
    service, before = ledger_of(NORTHGATE, "service"), signal.getsignal(signal.SIGTERM)

    def terminate() -> None:
        # By then it is the service that ends by it, and not who runs the tests.
        wait_until(lambda: signal.getsignal(signal.SIGTERM) is not before)
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=terminate).start()
    serve(service, checkpoint)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_ledger_that_does_not_answer_holds_up_the_end_for_a_moment_only(
    gateway, ledger_of, researcher, version, checkpoint, monkeypatch
):
    waiting_attempts(gateway, researcher, version, checkpoint, 2)
    service, asked, answer = ledger_of(NORTHGATE, "service"), threading.Event(), threading.Event()

    def unanswered(*arguments: object) -> None:
        asked.set()
        assert answer.wait(60)
        raise LedgerUnreachable("LEDGER_UNREACHABLE", "no answer")

    monkeypatch.setattr(service.transactions, "submit", unanswered)
    monkeypatch.setattr("consentry.decider._LONGEST_END_SECONDS", 0.1)
    with Running(service, checkpoint):
        assert asked.wait(60)
    assert not answer.is_set()
    assert len(json.loads(checkpoint.read_bytes())["open"]) == 2
    answer.set()


def test_malformed_events_are_passed_over(gateway, ledger_of, researcher, version, checkpoint):
    with gateway.changed:
        last = gateway.events[-1][0]
        gateway.events.append((last, "ab" * 32, "AccessAttempted.v1", b"no JSON"))
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    with Running(ledger_of(NORTHGATE, "service"), checkpoint):
        assert researcher.access.wait_for_decision(attempt, timeout=60).outcome == "deny"


def test_the_checkpoint_keeps_its_place(checkpoint):
    kept = DecisionCheckpoint(checkpoint, "consentry")
    assert (kept.block, kept.open_attempts()) == (0, ())
    assert kept.note(3, "attempt-1")
    assert kept.note(3, "attempt-2")
    assert not kept.note(3, "attempt-1")
    assert not kept.note(2, "attempt-0")
    kept.settle("attempt-1")
    kept.settle("attempt-1")
    again = DecisionCheckpoint(checkpoint, "consentry")
    assert (again.block, again.open_attempts()) == (3, ("attempt-2",))
    assert not again.note(3, "attempt-1")
    assert checkpoint.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":1,"channel":"other","block":0,"seen":[],"open":[]}',
        '{"version":2,"channel":"consentry","block":0,"seen":[],"open":[]}',
        '{"version":1,"channel":"consentry","block":-1,"seen":[],"open":[]}',
        '{"version":1,"channel":"consentry","block":true,"seen":[],"open":[]}',
        '{"version":1,"channel":"consentry","block":0,"seen":[1],"open":[]}',
        '{"version":1,"channel":"consentry","block":0,"seen":[],"open":[],"more":1}',
    ],
)
def test_a_malformed_checkpoint_is_refused(checkpoint, text):
    checkpoint.parent.mkdir(mode=0o700)
    checkpoint.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        DecisionCheckpoint(checkpoint, "consentry")
    assert caught.value.code == "CHECKPOINT_INVALID"


def wait_until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come about"
        time.sleep(0.02)
