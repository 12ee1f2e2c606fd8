"""Attempts and decisions: committed pair by pair, and void when something changed in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_records import AccessAttempt, keys
from consentry_records.canonical import decode


async def test_an_attempt_is_recorded_without_outcome(consortium: Consortium) -> None:
    await consortium.register_version()
    researcher = consortium.person("auditor,researcher", RIVERSIDE)
    result = await consortium.submit(researcher, "access:attempt", examples.new_attempt())
    attempt = consortium.record(AccessAttempt, keys.attempt(identifier("attempt")))
    assert (attempt.custodian, attempt.requester_msp) == (NORTHGATE, RIVERSIDE)
    assert (attempt.requester, attempt.roles) == (researcher.identity.common_name, ("auditor", "researcher"))
    assert result.payload == b""
    assert result.event is not None
    assert result.event.name == "AccessAttempted.v1"
    assert decode(result.event.payload) == {
        "attempt_id": identifier("attempt"),
        "custodian": NORTHGATE,
        "version_id": identifier("version"),
    }
    found = await consortium.evaluate(consortium.person("auditor"), "access:get", identifier("attempt"))
    assert found == {"attempt": attempt.to_dict(), "decision": None}


async def test_a_permitted_attempt(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    attempt_id = await consortium.attempt()
    result = await consortium.submit(consortium.person("service"), "access:decide", attempt_id)
    assert result.event is not None
    assert result.event.name == "AccessDecided.v1"
    found = await consortium.evaluate(consortium.person(""), "access:get", attempt_id)
    decision = found["decision"]
    assert (decision["outcome"], decision["grant_id"]) == ("permit", grant_id)
    assert decision["permit_not_after"] == consortium.end_of_grant(grant_id)
    assert (decision["reasons"], decision["epoch"]) == ([], "")


async def test_denials_are_records(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    other = await consortium.attempt(1, purpose="TREAT")
    nobody = await consortium.attempt(2, caller=consortium.person("", RIVERSIDE))
    regulator = await consortium.attempt(3, caller=consortium.person("researcher", REGULATOR))
    for attempt_id, code in (
        (other, "PURPOSE_NOT_COVERED"),
        (nobody, "ROLE_MISSING"),
        (regulator, "NO_GRANT"),
    ):
        decision = await consortium.decide(attempt_id)
        assert decision["outcome"] == "deny"
        assert [reason["code"] for reason in decision["reasons"]] == [code]


async def test_the_custodians_clock_decides_not_the_requesters(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant(seconds=10)
    consortium.ledger.advance(timedelta(seconds=9))
    backdated = consortium.ledger.time - timedelta(seconds=5)
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "access:attempt", examples.new_attempt(), time=backdated
    )
    decision = await consortium.decide(identifier("attempt"))
    assert [reason["code"] for reason in decision["reasons"]] == ["GRANT_EXPIRED"]


async def test_a_decision_is_made_once_by_the_custodians_service(consortium: Consortium) -> None:
    await consortium.register_version()
    attempt_id = await consortium.attempt()
    service = consortium.person("service")
    stranger = consortium.submit(consortium.person("service", RIVERSIDE), "access:decide", attempt_id)
    assert await consortium.refusal(stranger) == "NOT_CUSTODIAN"
    unknown = consortium.submit(service, "access:decide", identifier("attempt", 9))
    assert await consortium.refusal(unknown) == "ATTEMPT_NOT_FOUND"
    assert await consortium.refusal(consortium.submit(service, "access:decide", "attempt")) == "FIELD_INVALID"
    await consortium.submit(service, "access:decide", attempt_id)
    again = consortium.submit(service, "access:decide", attempt_id)
    assert await consortium.refusal(again) == "ATTEMPT_ALREADY_DECIDED"


async def test_attempts_that_are_refused(consortium: Consortium) -> None:
    await consortium.register_version()
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.attempt()
    assert await consortium.refusal(consortium.attempt()) == "ATTEMPT_EXISTS"
    assert (
        await consortium.refusal(consortium.attempt(2, version_id=identifier("version", 9)))
        == "VERSION_NOT_FOUND"
    )
    claimed = examples.new_attempt(3).to_dict() | {"requester": "somebody else"}
    call = consortium.submit(researcher, "access:attempt", claimed)
    assert await consortium.refusal(call) == "FIELD_UNKNOWN"
    call = consortium.evaluate(researcher, "access:get", identifier("attempt", 9))
    assert await consortium.refusal(call) == "ATTEMPT_NOT_FOUND"


@pytest.mark.parametrize("change", ["revoke", "change", "withdraw", "suspend", "grant"])
async def test_a_decision_that_was_overtaken_is_void(consortium: Consortium, change: str) -> None:
    (consent_id,) = await consortium.import_consents(["somebody"])
    await consortium.register_version()
    grant_id = await consortium.grant()
    attempt_id = await consortium.attempt()
    held = await consortium.ledger.endorse(consortium.person("service"), "access:decide", attempt_id)
    dpo = consortium.person("dpo")
    if change == "revoke":
        await consortium.submit(dpo, "grants:revoke", grant_id)
    elif change == "change":
        ends = {"grant_id": grant_id, "not_after": consortium.instant(60)}
        await consortium.submit(dpo, "grants:change", ends)
    elif change == "withdraw":
        await consortium.submit(dpo, "consents:withdraw", consent_id)
    elif change == "suspend":
        await consortium.submit(consortium.person("regulator", REGULATOR), "grants:suspend", grant_id)
    else:
        await consortium.grant(2)
    expected = "PHANTOM_READ_CONFLICT" if change == "grant" else "MVCC_READ_CONFLICT"
    assert consortium.ledger.commit([held])[0].code == expected
    assert consortium.ledger.state(keys.decision(attempt_id)) is None
    decision = await consortium.decide(attempt_id)
    reasons = {"revoke": ["GRANT_REVOKED"], "suspend": ["GRANT_SUSPENDED"]}
    assert [reason["code"] for reason in decision["reasons"]] == reasons.get(change, [])


async def test_decisions_on_different_attempts_do_not_disturb_one_another(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    attempts = [await consortium.attempt(number) for number in range(1, 6)]
    service = consortium.person("service")
    held = [await consortium.ledger.endorse(service, "access:decide", attempt_id) for attempt_id in attempts]
    assert {result.code for result in consortium.ledger.commit(held)} == {"VALID"}


async def test_a_permit_committed_late_still_ends_with_its_grant(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant(seconds=30)
    attempt_id = await consortium.attempt()
    held = await consortium.ledger.endorse(consortium.person("service"), "access:decide", attempt_id)
    consortium.ledger.advance(timedelta(hours=1))
    assert consortium.ledger.commit([held])[0].code == "VALID"
    found = await consortium.evaluate(consortium.person(""), "access:get", attempt_id)
    assert found["decision"]["permit_not_after"] == consortium.end_of_grant(grant_id) < consortium.instant()
