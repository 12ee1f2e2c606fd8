"""Training sessions under permits, and their rounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_records import (
    NewTrainingRound,
    NewTrainingRounds,
    Participant,
    TrainingRound,
    TrainingSession,
    keys,
)
from consentry_records.canonical import decode

SESSION_KEY = keys.session(identifier("session"))


def training_round(number: int = 1, **changes: Any) -> NewTrainingRound:
    participant = Participant(
        msp=NORTHGATE, version_id=identifier("version"), update_digest=examples.digest("update"), rows=190
    )
    fields: dict[str, Any] = {
        "session_id": identifier("session"),
        "number": number,
        "participants": (participant,),
        "aggregate_digest": examples.digest("aggregate"),
        "metrics": {"accuracy": "0.9649"},
    }
    return NewTrainingRound(**{**fields, **changes})


async def ready(consortium: Consortium, **grant: Any) -> Any:
    """A permitted attempt and a model; Riverside's researcher."""
    await consortium.register_version()
    await consortium.grant(**grant)
    await consortium.permitted_attempt()
    await consortium.model()
    return consortium.person("researcher", RIVERSIDE)


async def started(consortium: Consortium) -> Any:
    researcher = await ready(consortium)
    await consortium.submit(researcher, "training:start", new_session())
    return researcher


async def test_a_session_names_the_versions_of_its_attempts(consortium: Consortium) -> None:
    researcher = await started(consortium)
    session = consortium.record(TrainingSession, SESSION_KEY)
    assert session.versions == (identifier("version"),)
    assert (session.msp, session.trainer) == (RIVERSIDE, researcher.identity.common_name)
    assert (session.state, session.ended_at) == ("started", None)
    assert await consortium.evaluate(researcher, "training:get", identifier("session")) == session.to_dict()
    again = consortium.submit(researcher, "training:start", new_session())
    assert await consortium.refusal(again) == "SESSION_EXISTS"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model_id": identifier("model", 9)}, "MODEL_NOT_FOUND"),
        ({"attempts": (identifier("attempt", 9),)}, "ATTEMPT_NOT_FOUND"),
        ({"attempts": (identifier("attempt", 1), identifier("attempt", 9))}, "ATTEMPT_NOT_FOUND"),
        ({"purpose": "DUO:0000042"}, "ATTEMPT_DIFFERS"),
        ({"commercial": True}, "ATTEMPT_DIFFERS"),
    ],
)
async def test_sessions_that_are_refused(consortium: Consortium, changes: dict[str, Any], code: str) -> None:
    researcher = await ready(consortium)
    call = consortium.submit(researcher, "training:start", new_session(**changes))
    assert await consortium.refusal(call) == code


async def test_permits_are_personal(consortium: Consortium) -> None:
    await ready(consortium)
    colleague = consortium.person("auditor,researcher", RIVERSIDE)
    call = consortium.submit(colleague, "training:start", new_session())
    assert await consortium.refusal(call) == "ATTEMPT_DIFFERS"
    stranger = consortium.person("researcher", LAKESIDE)
    assert (
        await consortium.refusal(consortium.submit(stranger, "training:start", new_session())) == "NOT_OWNER"
    )


async def test_undecided_and_denied_attempts_start_nothing(consortium: Consortium) -> None:
    researcher = await ready(consortium)
    await consortium.attempt(2)
    second = new_session(attempts=(identifier("attempt", 2),))
    call = consortium.submit(researcher, "training:start", second)
    assert await consortium.refusal(call) == "ATTEMPT_UNDECIDED"
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant"))
    await consortium.decide(identifier("attempt", 2))
    assert (
        await consortium.refusal(consortium.submit(researcher, "training:start", second)) == "ATTEMPT_DENIED"
    )


@pytest.mark.parametrize("change", ["revoke", "shorten", "suspend"])
async def test_a_permit_whose_grant_changed_starts_nothing(consortium: Consortium, change: str) -> None:
    researcher = await ready(consortium)
    if change == "revoke":
        await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant"))
    elif change == "suspend":
        await consortium.submit(
            consortium.person("regulator", REGULATOR), "grants:suspend", identifier("grant")
        )
    else:
        ends = {"grant_id": identifier("grant"), "not_after": consortium.instant(1)}
        await consortium.submit(consortium.person("dpo"), "grants:change", ends)
    call = consortium.submit(researcher, "training:start", new_session())
    assert await consortium.refusal(call) == "PERMIT_OVERTAKEN"


async def test_a_permit_ends(consortium: Consortium) -> None:
    researcher = await ready(consortium, seconds=30)
    consortium.ledger.advance(timedelta(seconds=26))
    call = consortium.submit(researcher, "training:start", new_session())
    assert await consortium.refusal(call) == "PERMIT_EXPIRED"


async def test_a_start_is_not_dated_before_its_permit(consortium: Consortium) -> None:
    researcher = await ready(consortium)
    early = consortium.ledger.time - timedelta(seconds=20)
    call = consortium.submit(researcher, "training:start", new_session(), time=early)
    assert await consortium.refusal(call) == "PROPOSAL_TIME_TOO_EARLY"


async def test_a_start_that_a_revocation_overtook_is_void(consortium: Consortium) -> None:
    researcher = await ready(consortium)
    held = await consortium.ledger.endorse(researcher, "training:start", new_session())
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant"))
    assert consortium.ledger.commit([held])[0].code == "MVCC_READ_CONFLICT"


async def test_rounds_are_recorded_in_order(consortium: Consortium) -> None:
    researcher = await started(consortium)
    ahead = consortium.submit(researcher, "training:record_round", training_round(2))
    assert await consortium.refusal(ahead) == "ROUND_NOT_NEXT"
    for number in (1, 2, 3):
        await consortium.submit(researcher, "training:record_round", training_round(number))
    recorded = consortium.record(TrainingRound, keys.training_round(identifier("session"), 3))
    assert recorded.metrics == {"accuracy": "0.9649"}
    again = consortium.submit(researcher, "training:record_round", training_round(3))
    assert await consortium.refusal(again) == "ROUND_EXISTS"


async def test_rounds_are_recorded_together_or_not_at_all(consortium: Consortium) -> None:
    researcher = await started(consortium)
    result = await consortium.submit(
        researcher, "training:record_rounds", NewTrainingRounds(rounds=(training_round(1), training_round(2)))
    )
    assert result.event is not None
    assert decode(result.event.payload) == {"session_id": identifier("session"), "number": 1, "count": 2}
    known = NewTrainingRounds(rounds=(training_round(2), training_round(3)))
    assert await consortium.refusal(consortium.submit(researcher, "training:record_rounds", known)) == (
        "ROUND_EXISTS"
    )
    ahead = NewTrainingRounds(rounds=(training_round(4), training_round(5)))
    assert await consortium.refusal(consortium.submit(researcher, "training:record_rounds", ahead)) == (
        "ROUND_NOT_NEXT"
    )
    there = [
        consortium.record(TrainingRound, keys.training_round(identifier("session"), number)) is not None
        for number in range(1, 6)
    ]
    assert there == [True, True, False, False, False]


@pytest.mark.parametrize(
    "rounds",
    [
        [training_round(1), training_round(3)],
        [training_round(1), training_round(1)],
        [training_round(2), training_round(1)],
        [training_round(1), training_round(2, session_id=identifier("session", 2))],
    ],
)
async def test_rounds_that_do_not_follow_one_another_are_refused(
    consortium: Consortium, rounds: list[NewTrainingRound]
) -> None:
    researcher = await started(consortium)
    batch = {"rounds": [each.to_dict() for each in rounds]}
    call = consortium.submit(researcher, "training:record_rounds", batch)
    assert await consortium.refusal(call) == "ROUNDS_NOT_IN_ORDER"


@pytest.mark.parametrize("count", [0, 65])
async def test_no_rounds_and_too_many_are_refused(consortium: Consortium, count: int) -> None:
    researcher = await started(consortium)
    batch = {"rounds": [training_round(number + 1).to_dict() for number in range(count)]}
    call = consortium.submit(researcher, "training:record_rounds", batch)
    assert await consortium.refusal(call) == "FIELD_INVALID"


async def test_rounds_that_are_refused(consortium: Consortium) -> None:
    researcher = await started(consortium)
    stranger = Participant(
        msp="StrangerMSP", version_id=identifier("version"), update_digest=examples.digest(), rows=1
    )
    foreign = Participant(
        msp=LAKESIDE, version_id=identifier("version", 2), update_digest=examples.digest(), rows=1
    )
    cases = [
        (researcher, training_round(session_id=identifier("session", 9)), "SESSION_NOT_FOUND"),
        (researcher, training_round(participants=(stranger,)), "ORGANIZATION_UNKNOWN"),
        (researcher, training_round(participants=(foreign,)), "ROUND_VERSION_NOT_IN_SESSION"),
        (researcher, training_round().to_dict() | {"metrics": {"accuracy": "high"}}, "FIELD_INVALID"),
        (consortium.person("auditor,researcher", RIVERSIDE), training_round(), "NOT_OWNER"),
        (consortium.person("researcher", LAKESIDE), training_round(), "NOT_OWNER"),
    ]
    for caller, argument, code in cases:
        call = consortium.submit(caller, "training:record_round", argument)
        assert await consortium.refusal(call) == code


async def test_a_session_ends_once(consortium: Consortium) -> None:
    researcher = await started(consortium)
    finish = {"session_id": identifier("session"), "state": "aborted", "failure": None, "used": []}
    stranger = consortium.submit(consortium.person("researcher", LAKESIDE), "training:finish", finish)
    assert await consortium.refusal(stranger) == "NOT_OWNER"
    early = consortium.ledger.time - timedelta(seconds=30)
    backdated = consortium.submit(researcher, "training:finish", finish, time=early)
    assert await consortium.refusal(backdated) == "PROPOSAL_TIME_TOO_EARLY"
    unfinished = consortium.submit(researcher, "training:finish", finish | {"state": "started"})
    assert await consortium.refusal(unfinished) == "FIELD_INVALID"
    await consortium.submit(consortium.person("auditor,researcher", RIVERSIDE), "training:finish", finish)
    session = consortium.record(TrainingSession, SESSION_KEY)
    assert session.state == "aborted"
    assert session.ended_at is not None
    for function, argument in (("training:finish", finish), ("training:record_round", training_round())):
        call = consortium.submit(researcher, function, argument)
        assert await consortium.refusal(call) == "SESSION_NOT_RUNNING"
    unknown = consortium.evaluate(researcher, "training:get", identifier("session", 9))
    assert await consortium.refusal(unknown) == "SESSION_NOT_FOUND"
