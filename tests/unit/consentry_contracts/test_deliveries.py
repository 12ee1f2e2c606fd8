"""What a custodian's gate gave out is on record in order, and whether a permit still holds can be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_records import Delivery, keys
from consentry_records.errors import LedgerError


@pytest.fixture
async def attempt_id(consortium: Consortium) -> str:
    await consortium.register_version()
    await consortium.grant()
    return await consortium.permitted_attempt()


def delivery(consortium: Consortium, number: int = 1, **changes: Any) -> Any:
    times = {"started_at": consortium.instant(), "ended_at": consortium.instant()}
    return examples.new_delivery(number, **{**times, **changes})


async def record(consortium: Consortium, new: Any, msp_id: str = NORTHGATE) -> None:
    await consortium.submit(consortium.person("service", msp_id), "deliveries:record", new)


async def goes_on(consortium: Consortium, attempt_id: str) -> tuple[bool, list[str]]:
    answer = await consortium.evaluate(consortium.person(""), "deliveries:may_go_on", attempt_id)
    return answer["holds"], [reason["code"] for reason in answer["reasons"]]


async def test_deliveries_are_on_record_in_order(consortium: Consortium, attempt_id: str) -> None:
    first = delivery(consortium, end="recipient-gone")
    await record(consortium, first)
    await record(consortium, delivery(consortium, 2))
    found = await consortium.evaluate(consortium.person(""), "deliveries:of_attempt", attempt_id)
    assert [(one["number"], one["end"]) for one in found] == [(1, "recipient-gone"), (2, "completed")]
    kept = consortium.record(Delivery, keys.delivery(attempt_id, 1))
    assert (kept.custodian, kept.recorded_by) == (NORTHGATE, consortium.name("service"))


async def test_one_answer_says_what_a_delivery_begins_with(consortium: Consortium, attempt_id: str) -> None:
    async def outlook(of: str) -> dict[str, Any]:
        return dict(await consortium.evaluate(consortium.person(""), "deliveries:outlook", of))

    before = await outlook(attempt_id)
    assert (before["decision"]["outcome"], before["deliveries"]) == ("permit", [])
    goes = await consortium.evaluate(consortium.person(""), "deliveries:may_go_on", attempt_id)
    assert before["standing"] == goes
    await record(consortium, delivery(consortium, end="recipient-gone"))
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant", 1))
    after = await outlook(attempt_id)
    assert [(one["number"], one["end"]) for one in after["deliveries"]] == [(1, "recipient-gone")]
    assert (after["standing"]["holds"], after["decision"]) == (False, before["decision"])
    undecided = await consortium.attempt(2)
    assert await outlook(undecided) == {"decision": None, "deliveries": [], "standing": None}
    await consortium.decide(undecided)
    denied = await outlook(undecided)
    assert (denied["decision"]["outcome"], denied["standing"]) == ("deny", None)
    assert await consortium.refusal(outlook(identifier("attempt", 9))) == "ATTEMPT_NOT_FOUND"
    assert await consortium.refusal(outlook("attempt-9")) == "FIELD_INVALID"


async def test_numbers_have_no_gaps_and_come_once(consortium: Consortium, attempt_id: str) -> None:
    assert await consortium.refusal(record(consortium, delivery(consortium, 2))) == "DELIVERY_NOT_NEXT"
    await record(consortium, delivery(consortium))
    assert await consortium.refusal(record(consortium, delivery(consortium))) == "DELIVERY_EXISTS"


async def test_only_the_custodian_records_and_only_under_a_permit(
    consortium: Consortium, attempt_id: str
) -> None:
    new = delivery(consortium)
    assert await consortium.refusal(record(consortium, new, RIVERSIDE)) == "NOT_CUSTODIAN"
    denied = await consortium.attempt(2, purpose="TREAT")
    other = delivery(consortium, attempt_id=denied)
    assert await consortium.refusal(record(consortium, other)) == "ATTEMPT_UNDECIDED"
    await consortium.decide(denied)
    assert await consortium.refusal(record(consortium, other)) == "ATTEMPT_DENIED"
    unknown = delivery(consortium, attempt_id=identifier("attempt", 9))
    assert await consortium.refusal(record(consortium, unknown)) == "ATTEMPT_NOT_FOUND"


async def test_times_are_between_the_decision_and_now(consortium: Consortium, attempt_id: str) -> None:
    early = delivery(consortium, started_at=consortium.instant(-60))
    assert await consortium.refusal(record(consortium, early)) == "PROPOSAL_TIME_TOO_EARLY"
    late = delivery(consortium, ended_at=consortium.instant(60))
    assert await consortium.refusal(record(consortium, late)) == "HAPPENED_TOO_LATE"


@pytest.mark.parametrize(
    "changes",
    [
        {"row_count": 9},
        {"left_out": {"ended": 1}},
        {"left_out": {"whatever": 2}},
        {"first_row": 11},
        {"started_at": examples.END},
    ],
)
def test_what_does_not_add_up_is_no_delivery(changes: dict[str, Any]) -> None:
    with pytest.raises(LedgerError) as caught:
        examples.new_delivery(**changes)
    assert caught.value.code == "DELIVERY_INVALID"


async def test_a_permit_holds_until_its_grant_says_otherwise(consortium: Consortium, attempt_id: str) -> None:
    assert await goes_on(consortium, attempt_id) == (True, [])
    await consortium.submit(
        consortium.person("regulator", REGULATOR), "grants:suspend", identifier("grant", 1)
    )
    assert await goes_on(consortium, attempt_id) == (False, ["GRANT_SUSPENDED"])
    await consortium.submit(
        consortium.person("regulator", REGULATOR), "grants:lift_suspension", identifier("grant", 1)
    )
    assert await goes_on(consortium, attempt_id) == (True, [])
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant", 1))
    assert await goes_on(consortium, attempt_id) == (False, ["GRANT_REVOKED"])


async def test_a_permit_ends_by_the_clock(consortium: Consortium, attempt_id: str) -> None:
    consortium.ledger.advance(timedelta(seconds=3600))
    assert await goes_on(consortium, attempt_id) == (False, ["GRANT_EXPIRED"])


async def test_an_emergency_rests_on_no_grant(consortium: Consortium) -> None:
    await consortium.register_version()
    clinician = consortium.person("clinician", RIVERSIDE)
    attempt_id = await consortium.attempt(3, clinician, purpose="TREAT", emergency="LIFE_THREATENING")
    await consortium.decide(attempt_id)
    assert await goes_on(consortium, attempt_id) == (True, [])
    consortium.ledger.advance(timedelta(hours=8))
    assert await goes_on(consortium, attempt_id) == (False, [])


@pytest.mark.parametrize("state", ["justified", "unjustified"])
async def test_a_review_that_finds_no_emergency_ends_its_permit(consortium: Consortium, state: str) -> None:
    await consortium.register_version()
    clinician = consortium.person("clinician", RIVERSIDE)
    attempt_id = await consortium.attempt(3, clinician, purpose="TREAT", emergency="LIFE_THREATENING")
    await consortium.decide(attempt_id)
    findings = ["EMERGENCY_CONFIRMED" if state == "justified" else "NO_EMERGENCY"]
    review = {"attempt_id": attempt_id, "state": state, "findings": findings, "rationale_digest": None}
    await consortium.submit(consortium.person("dpo"), "emergencies:review", review)
    ended = (False, ["EMERGENCY_UNJUSTIFIED"])
    assert await goes_on(consortium, attempt_id) == ((True, []) if state == "justified" else ended)
