"""Rounds that were computed before anything was recorded: many in a transaction, on line and off line."""

import pytest
from support.story import DIGEST, NORTHGATE, RIVERSIDE
from support.training_sessions import permitted_attempt, registered_version, running_session

from consentry.training import Round, participant
from consentry_records import TrainingRound, keys
from fabric_gateway.failures import StatusFailure


@pytest.fixture
def version(ledger_of):
    return registered_version(ledger_of)


@pytest.fixture
def researcher(ledger_of):
    return ledger_of(RIVERSIDE, "researcher")


@pytest.fixture
def session(ledger_of, version, researcher):
    return running_session(researcher, permitted_attempt(ledger_of, version, researcher))


def computed(version, count: int) -> list[Round]:
    update = participant(NORTHGATE, version.version_id, rows=2, update=DIGEST)
    return [Round([update], DIGEST, {"loss": 1 / number}) for number in range(1, count + 1)]


def test_rounds_are_recorded_in_few_transactions(gateway, session, researcher, version):
    recorded = session.record_rounds(computed(version, 70))
    (last,) = computed(version, 1)
    after = session.record_round(last.participants, aggregate=last.aggregate, metrics=last.metrics)
    assert [each.number for each in (*recorded, after)] == list(range(1, 72))
    assert session.record_rounds([]) == ()
    assert gateway.calls.count(("endorse", "training:record_rounds")) == 2
    session.finish("completed")
    ended = researcher.transactions.evaluate("training:get", session.session_id)
    assert ended["used"] == [{"version_id": version.version_id, "rows": 2}]


def test_rounds_recorded_together_off_line_wait_one_by_one(gateway, session, researcher, version):
    gateway.failures["endorse"] = [StatusFailure("UNAVAILABLE", "connection refused")] * 10
    session.record_rounds(computed(version, 3))
    assert [entry.what for entry in researcher.outbox.entries()] == ["round 1", "round 2", "round 3"]
    gateway.failures["endorse"] = []
    assert researcher.outbox.send().recorded == 3
    kept = gateway.memory.state(keys.training_round(session.session_id, 3))
    assert TrainingRound.from_bytes(kept).number == 3
