"""Rounds and ends that are stated while the ledger cannot be reached, with the real contracts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.consent_frames import RESEARCH
from support.training_sessions import (
    DIGEST,
    NORTHGATE,
    RIVERSIDE,
    permitted_attempt,
    registered_version,
    running_session,
)

from consentry.errors import ConfigurationError, InputRejected, LedgerRefused, LedgerUnreachable
from consentry.outbox import Outbox
from consentry.training import participant
from consentry_records import TrainingRound, TrainingStatement, keys
from consentry_records.training import TrainingSession
from fabric_gateway.failures import StatusFailure

GONE = StatusFailure("UNAVAILABLE", "failed to connect to all addresses", not_sent=True)


@pytest.fixture
def version(ledger_of):
    return registered_version(ledger_of)


@pytest.fixture
def researcher(ledger_of):
    return ledger_of(RIVERSIDE, "researcher")


@pytest.fixture
def session(ledger_of, version, researcher):
    return running_session(researcher, permitted_attempt(ledger_of, version, researcher))


def record(session, version):
    part = participant(NORTHGATE, version.version_id, rows=2, update=DIGEST)
    return session.record_round([part], aggregate=DIGEST, metrics={"loss": 0.5})


def offline(gateway, calls=100):
    gateway.failures["endorse"] = [GONE] * calls


def online(gateway):
    gateway.failures["endorse"] = []


def stored(gateway, kind, key):
    return kind.from_bytes(gateway.memory.state(key))


def test_what_is_recorded_off_line_is_recorded_later_with_both_times(gateway, session, researcher, version):
    record(session, version)
    offline(gateway)
    record(session, version)
    session.finish("completed")
    waiting = researcher.outbox.entries()
    assert [(entry.sequence, entry.what, entry.state) for entry in waiting] == [
        (1, "round 2", "queued"),
        (2, "end: completed", "queued"),
    ]
    assert researcher.outbox.send().waiting == 2
    online(gateway)
    gateway.memory.advance(timedelta(hours=5))
    sent = researcher.outbox.send()
    assert (sent.recorded, sent.refused, sent.waiting) == (2, 0, 0)
    statement = stored(gateway, TrainingStatement, keys.training_statement(session.session_id, 1))
    assert statement.claimed_time == waiting[0].claimed_time < statement.recorded_at
    training = stored(gateway, TrainingRound, keys.training_round(session.session_id, 2))
    assert training.recorded_at == statement.recorded_at
    ended = stored(gateway, TrainingSession, keys.session(session.session_id))
    assert (ended.state, ended.ended_at) == ("completed", statement.recorded_at)
    assert researcher.outbox.send().recorded == 0


def test_an_end_stated_off_line_says_why_it_failed_and_what_was_used(gateway, session, researcher, version):
    session.note_use(version.version_id, 2)
    offline(gateway)
    session.finish("failed", failure="PROGRAM_ERROR")
    online(gateway)
    assert researcher.outbox.send().recorded == 1
    ended = stored(gateway, TrainingSession, keys.session(session.session_id))
    assert (ended.state, ended.failure) == ("failed", "PROGRAM_ERROR")
    assert [(used.version_id, used.rows) for used in ended.used] == [(version.version_id, 2)]


def test_a_session_whose_process_died_is_recorded_as_failed(
    gateway, ledger_of, version, researcher, session, tmp_path
):
    researcher.outbox.running.mark(session.session_id)
    record(session, version)
    assert gateway.ledger(researcher.identity, tmp_path).outbox.entries() == ()
    # What a killed process leaves: a lock that nobody holds.
    researcher.outbox.running.close()
    again = gateway.ledger(researcher.identity, tmp_path)
    assert [entry.what for entry in again.outbox.entries()] == ["end: failed"]
    assert again.outbox.send().recorded == 1
    again.close()
    ended = stored(gateway, TrainingSession, keys.session(session.session_id))
    assert (ended.state, ended.failure) == ("failed", "PROCESS_LOST")
    assert gateway.ledger(researcher.identity, tmp_path).outbox.running.lost() == ()


def test_a_colleague_ends_a_session_whose_trainer_vanished(gateway, ledger_of, session):
    colleague, stranger = ledger_of(RIVERSIDE, "researcher"), ledger_of(NORTHGATE, "researcher")
    with pytest.raises(LedgerRefused) as caught:
        stranger.end_training(session.session_id, state="failed")
    assert caught.value.code == "NOT_OWNER"
    with pytest.raises(InputRejected):
        colleague.end_training(session.session_id, state="vanished")
    colleague.end_training(session.session_id, state="failed", failure="PROCESS_LOST")
    ended = stored(gateway, TrainingSession, keys.session(session.session_id))
    assert (ended.state, ended.failure) == ("failed", "PROCESS_LOST")


def test_what_follows_waits_its_turn_and_goes_by_itself(gateway, session, researcher, version):
    offline(gateway, calls=1)
    record(session, version)
    record(session, version)
    assert [entry.state for entry in researcher.outbox.entries()] == ["recorded"]
    session.finish("completed")
    assert not researcher.outbox.holds(session.session_id)


def test_an_answer_that_was_lost_is_not_recorded_twice(gateway, session, researcher, version):
    gateway.failures["commit_status"] = [StatusFailure("PERMISSION_DENIED", "no")]
    record(session, version)
    assert [entry.state for entry in researcher.outbox.entries()] == ["queued"]
    assert researcher.outbox.send().recorded == 1
    assert [entry.reason for entry in researcher.outbox.entries()] == ["ROUND_EXISTS"]


def test_entries_outlive_the_process_and_a_renewed_key(gateway, session, researcher, version, tmp_path):
    offline(gateway)
    record(session, version)
    researcher.close()
    online(gateway)
    again = gateway.ledger(researcher.identity, tmp_path)
    assert again.outbox.send().recorded == 1
    again.close()


def test_a_refused_entry_says_why_and_the_next_one_goes(gateway, session, researcher, version):
    offline(gateway)
    record(session, version)
    record(session, version)
    online(gateway)
    researcher.outbox._connection.execute("DELETE FROM statements WHERE sequence = 1")
    sent = researcher.outbox.send()
    assert (sent.recorded, sent.refused) == (0, 1)
    assert [entry.reason for entry in researcher.outbox.entries()] == ["ROUND_NOT_NEXT"]


def test_access_is_never_decided_off_line(gateway, researcher, version):
    offline(gateway)
    with (
        pytest.raises(LedgerUnreachable),
        researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH),
    ):
        raise AssertionError("no session was started")
    assert researcher.outbox.entries() == ()


def test_the_outbox_is_its_owners_alone(gateway, session, researcher, version, tmp_path):
    offline(gateway)
    record(session, version)
    (path,) = (tmp_path / "outbox").rglob("*.sqlite")
    assert path.stat().st_mode & 0o777 == 0o600
    researcher.close()
    path.chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        Outbox(path, researcher.identity, researcher.transactions, lambda: gateway.memory.time)
    assert caught.value.code == "PATH_EXPOSED"


def test_another_file_is_refused(tmp_path, researcher, gateway):
    path = tmp_path / "private" / "outbox.sqlite"
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(ConfigurationError) as caught:
        Outbox(path, researcher.identity, researcher.transactions, lambda: gateway.memory.time)
    assert caught.value.code == "OUTBOX_INVALID"
