"""Break-glass: in without a grant, out of sight for nobody; the review is owed and shown until it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_records import EmergencyAccess, keys
from fabric_testing import Signatory

ATTEMPT = identifier("attempt")
REVIEW = {
    "attempt_id": ATTEMPT,
    "state": "justified",
    "findings": ["EMERGENCY_CONFIRMED"],
    "rationale_digest": None,
}


async def break_glass(
    consortium: Consortium, caller: Signatory | None = None, **changes: Any
) -> dict[str, Any]:
    await consortium.register_version()
    fields = {"purpose": "TREAT", "emergency": "LIFE_THREATENING", **changes}
    await consortium.attempt(1, caller or consortium.person("clinician", RIVERSIDE), **fields)
    return dict(await consortium.decide(ATTEMPT))


async def open_reviews(consortium: Consortium) -> list[dict[str, Any]]:
    who = consortium.person("auditor", LAKESIDE)
    found: list[dict[str, Any]] = (await consortium.evaluate(who, "emergencies:open", [NORTHGATE]))["open"]
    return found


async def test_a_clinician_is_let_in_for_eight_hours_and_a_review_is_owed(consortium: Consortium) -> None:
    decision = await break_glass(consortium)
    assert (decision["outcome"], decision["grant_id"]) == ("permit", None)
    assert (decision["emergency"], "emergency/1" in decision["rules"]) == ("LIFE_THREATENING", True)
    assert consortium.instant() < decision["permit_not_after"] <= consortium.instant(8 * 3600)
    (owed,) = await open_reviews(consortium)
    assert (owed["attempt_id"], owed["state"], owed["overdue"]) == (ATTEMPT, "open", False)
    consortium.ledger.advance(timedelta(hours=72))
    assert [one["overdue"] for one in await open_reviews(consortium)] == [True]


async def test_the_custodians_officer_reviews_it_once(consortium: Consortium) -> None:
    await break_glass(consortium)
    dpo = consortium.person("dpo")
    stranger = consortium.submit(consortium.person("dpo", RIVERSIDE), "emergencies:review", REVIEW)
    assert await consortium.refusal(stranger) == "NOT_CUSTODIAN"
    await consortium.submit(dpo, "emergencies:review", REVIEW)
    assert await open_reviews(consortium) == []
    record = consortium.record(EmergencyAccess, keys.emergency(ATTEMPT))
    assert (record.state, record.reviewed_by) == ("justified", dpo.identity.common_name)
    again = consortium.submit(dpo, "emergencies:review", {**REVIEW, "state": "unjustified"})
    assert await consortium.refusal(again) == "EMERGENCY_ALREADY_REVIEWED"
    other = consortium.submit(dpo, "emergencies:review", {**REVIEW, "attempt_id": identifier("attempt", 2)})
    assert await consortium.refusal(other) == "EMERGENCY_NOT_FOUND"


async def test_nobody_reviews_himself(consortium: Consortium) -> None:
    both = consortium.person("clinician,dpo")
    await break_glass(consortium, both)
    own = consortium.submit(both, "emergencies:review", REVIEW)
    assert await consortium.refusal(own) == "EMERGENCY_REVIEWER_IS_REQUESTER"


@pytest.mark.parametrize(
    ("roles", "msp_id", "changes", "code"),
    [
        ("researcher", RIVERSIDE, {}, "ROLE_MISSING"),
        ("clinician", REGULATOR, {}, "EMERGENCY_NOT_HOSPITAL"),
        ("clinician", RIVERSIDE, {"purpose": "DUO:0000006"}, "EMERGENCY_NOT_CARE"),
        ("clinician", RIVERSIDE, {"emergency": None}, "ROLE_MISSING"),
    ],
)
async def test_the_glass_does_not_break_for_others(
    consortium: Consortium, roles: str, msp_id: str, changes: dict[str, Any], code: str
) -> None:
    decision = await break_glass(consortium, consortium.person(roles, msp_id), **changes)
    assert [reason["code"] for reason in decision["reasons"]] == [code]
    assert await open_reviews(consortium) == []
