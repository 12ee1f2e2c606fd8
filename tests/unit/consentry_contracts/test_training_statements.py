"""What a trainer stated while the ledger could not be reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import LAKESIDE, NORTHGATE, RIVERSIDE, identifier

from consentry_records import (
    NewTrainingRound,
    NewTrainingStatement,
    Participant,
    SignedTrainingStatement,
    TrainingRound,
    TrainingSession,
    TrainingStatement,
    keys,
)
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant
from consentry_records.training import FinishedSession, UsedVersion
from fabric_protocol.signatures import sign

SESSION = identifier("session")


def training_round(number: int = 1, session_id: str = SESSION) -> NewTrainingRound:
    participant = Participant(
        msp=NORTHGATE, version_id=identifier("version"), update_digest=examples.digest("update"), rows=190
    )
    return NewTrainingRound(
        session_id=session_id,
        number=number,
        participants=(participant,),
        aggregate_digest=examples.digest("aggregate"),
        metrics={},
    )


def ended(state: str, rows: int = 0, session_id: str = SESSION, number: int = 1) -> FinishedSession:
    used = UsedVersion(version_id=identifier("version", number), rows=rows)
    failure = None if state == "completed" else "PROGRAM_ERROR"
    return FinishedSession(session_id=session_id, state=state, failure=failure, used=(used,))


def statement(consortium: Consortium, sequence: int = 1, **changes: Any) -> NewTrainingStatement:
    fields: dict[str, Any] = {
        "session_id": SESSION,
        "sequence": sequence,
        "claimed_time": format_instant(consortium.ledger.time),
        "round": training_round(sequence),
        "end": None,
    }
    return NewTrainingStatement(**{**fields, **changes})


def signed(person: Any, stated: NewTrainingStatement) -> SignedTrainingStatement:
    signature = sign(person.private_key, stated.signed_bytes()).hex()
    return SignedTrainingStatement(statement=stated, signature=signature)


@pytest.fixture
async def trainer(consortium: Consortium) -> Any:
    await consortium.register_version()
    await consortium.grant()
    await consortium.permitted_attempt()
    await consortium.model()
    person = consortium.person("researcher", RIVERSIDE)
    await consortium.submit(person, "training:start", new_session())
    return person


async def test_rounds_and_the_end_are_recorded_with_both_times(consortium: Consortium, trainer: Any) -> None:
    first = signed(trainer, statement(consortium))
    claimed = first.statement.claimed_time
    end = signed(trainer, statement(consortium, 2, round=None, end=ended("completed", rows=190)))
    consortium.ledger.advance(timedelta(hours=3))
    for item in (first, end):
        await consortium.submit(trainer, "training:record_statement", item)
    recorded = consortium.record(TrainingStatement, keys.training_statement(SESSION, 1))
    assert (recorded.round_number, recorded.end_state, recorded.claimed_time) == (1, None, claimed)
    assert recorded.statement_digest == sha256_digest(first.statement.signed_bytes())
    training = consortium.record(TrainingRound, keys.training_round(SESSION, 1))
    assert training.recorded_at == recorded.recorded_at > claimed
    session = consortium.record(TrainingSession, keys.session(SESSION))
    assert (session.state, session.used) == ("completed", ended("completed", rows=190).used)
    # Rules use the proposal's time alone.
    assert session.ended_at is not None
    assert session.ended_at > claimed
    again = consortium.submit(trainer, "training:record_statement", end)
    assert await consortium.refusal(again) == "SESSION_NOT_RUNNING"


async def test_an_end_says_why_and_may_name_versions_of_the_session_alone(
    consortium: Consortium, trainer: Any
) -> None:
    other = signed(trainer, statement(consortium, round=None, end=ended("failed", number=9)))
    call = consortium.submit(trainer, "training:record_statement", other)
    assert await consortium.refusal(call) == "USED_VERSION_NOT_IN_SESSION"
    end = signed(trainer, statement(consortium, round=None, end=ended("failed", rows=5)))
    await consortium.submit(trainer, "training:record_statement", end)
    session = consortium.record(TrainingSession, keys.session(SESSION))
    assert (session.state, session.failure, session.used[0].rows) == ("failed", "PROGRAM_ERROR", 5)


async def test_a_number_is_used_once(consortium: Consortium, trainer: Any) -> None:
    await consortium.submit(trainer, "training:record_statement", signed(trainer, statement(consortium)))
    other = signed(trainer, statement(consortium, 1, round=training_round(2)))
    call = consortium.submit(trainer, "training:record_statement", other)
    assert await consortium.refusal(call) == "STATEMENT_EXISTS"


async def test_a_statement_is_one_of_its_trainer(consortium: Consortium, trainer: Any) -> None:
    good = signed(trainer, statement(consortium))
    altered = SignedTrainingStatement(
        statement=statement(consortium, round=training_round(1), claimed_time=examples.START),
        signature=good.signature,
    )
    no_signature = SignedTrainingStatement(statement=good.statement, signature="00" * 70)
    colleague = consortium.person("auditor,researcher", RIVERSIDE)
    stranger = consortium.person("researcher", LAKESIDE)
    cases = [
        (trainer, signed(colleague, statement(consortium)), "STATEMENT_SIGNATURE_INVALID"),
        (trainer, no_signature, "STATEMENT_SIGNATURE_INVALID"),
        (colleague, good, "NOT_OWNER"),
        (colleague, signed(colleague, good.statement), "NOT_OWNER"),
        (stranger, good, "NOT_OWNER"),
        (consortium.person("auditor", RIVERSIDE), good, "ROLE_REQUIRED"),
    ]
    for caller, argument, code in cases:
        call = consortium.submit(caller, "training:record_statement", argument)
        assert await consortium.refusal(call) == code
    assert await consortium.refusal(consortium.submit(trainer, "training:record_statement", altered)) in (
        "STATEMENT_TIME_INVALID",
        "STATEMENT_SIGNATURE_INVALID",
    )


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_a_claimed_time_lies_in_the_session(consortium: Consortium, trainer: Any, seconds: int) -> None:
    claimed = format_instant(consortium.ledger.time + timedelta(seconds=seconds))
    item = signed(trainer, statement(consortium, claimed_time=claimed))
    call = consortium.submit(trainer, "training:record_statement", item)
    assert await consortium.refusal(call) == "STATEMENT_TIME_INVALID"


async def test_rounds_stay_in_order(consortium: Consortium, trainer: Any) -> None:
    item = signed(trainer, statement(consortium, 1, round=training_round(2)))
    call = consortium.submit(trainer, "training:record_statement", item)
    assert await consortium.refusal(call) == "ROUND_NOT_NEXT"
    await consortium.submit(trainer, "training:record_round", training_round(1))
    doubled = signed(trainer, statement(consortium, 1, round=training_round(1)))
    call = consortium.submit(trainer, "training:record_statement", doubled)
    assert await consortium.refusal(call) == "ROUND_EXISTS"


@pytest.mark.parametrize(
    "changes",
    [
        {"round": None},
        {"end": ended("failed")},
        {"round": training_round(1, identifier("session", 2))},
        {"round": None, "end": ended("failed", session_id=identifier("session", 2))},
    ],
)
async def test_a_statement_that_says_both_or_nothing_is_none(
    consortium: Consortium, trainer: Any, changes: dict[str, Any]
) -> None:
    item = signed(trainer, statement(consortium, **changes))
    call = consortium.submit(trainer, "training:record_statement", item)
    assert await consortium.refusal(call) == "FIELD_INVALID"
