"""Conditions of grants on the ledger: limited uses, named people, projects, countries, outputs; and what
changes them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, REGULATOR, RIVERSIDE, identifier

from consentry_records import Conditions, Grant, Suspension, keys
from consentry_records.settings import OrganizationSetting

GRANT = identifier("grant")


async def granted(consortium: Consortium, **conditions: Any) -> None:
    await consortium.register_version()
    await consortium.grant(conditions=Conditions(**conditions))


async def codes(consortium: Consortium, number: int, **changes: Any) -> list[str]:
    decision = await consortium.decide(await consortium.attempt(number, **changes))
    return [reason["code"] for reason in decision["reasons"]]


async def test_uses_are_counted_and_run_out(consortium: Consortium) -> None:
    await granted(consortium, maximum_uses=3)
    decisions = [await consortium.decide(await consortium.attempt(number)) for number in range(1, 6)]
    assert [decision["outcome"] for decision in decisions] == ["permit"] * 3 + ["deny"] * 2
    assert sorted(decision["use"] for decision in decisions[:3]) == [1, 2, 3]
    assert decisions[3]["reasons"][0]["code"] == "USES_EXHAUSTED"
    taken = {consortium.ledger.state(keys.use(GRANT, number)) for number in (1, 2, 3)}
    assert taken == {identifier("attempt", number).encode() for number in (1, 2, 3)}


async def test_two_permits_never_share_a_use(consortium: Consortium) -> None:
    await granted(consortium, maximum_uses=1)
    service = consortium.person("service")
    attempts = [await consortium.attempt(number) for number in range(1, 4)]
    held = [await consortium.ledger.endorse(service, "access:decide", attempt) for attempt in attempts]
    results = [result.code for result in consortium.ledger.commit(held)]
    assert results == ["VALID", "MVCC_READ_CONFLICT", "MVCC_READ_CONFLICT"]
    assert (await consortium.decide(attempts[1]))["outcome"] == "deny"


async def test_a_grant_without_limit_is_used_before_a_limited_one(consortium: Consortium) -> None:
    await granted(consortium, maximum_uses=1)
    await consortium.grant(2, seconds=60)
    for number in (1, 2):
        decision = await consortium.decide(await consortium.attempt(number))
        assert (decision["grant_id"], decision["use"]) == (identifier("grant", 2), None)


@pytest.mark.parametrize(("used", "maximum", "left"), [(0, 2, 2), (2, 3, 1), (3, 1, 0), (5, 1, 0)])
async def test_a_smaller_maximum_counts_the_uses_taken(
    consortium: Consortium, used: int, maximum: int, left: int
) -> None:
    await granted(consortium, maximum_uses=5)
    for number in range(1, used + 1):
        await consortium.permitted_attempt(number)
    await narrow(consortium, conditions=Conditions(maximum_uses=maximum))
    outcomes = [(await codes(consortium, used + number)) for number in range(1, left + 2)]
    assert outcomes == [[]] * left + [["USES_EXHAUSTED"]]


async def narrow(consortium: Consortium, **changes: Any) -> None:
    grant = consortium.record(Grant, keys.grant(GRANT))
    fields = {"not_after": grant.not_after, "conditions": grant.conditions}
    narrower = examples.narrowed(1, **{**fields, **changes})
    await consortium.submit(consortium.person("dpo"), "grants:narrow", narrower)


async def test_persons_projects_outputs_and_countries(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "grants:request", examples.new_request(1, project="p-1")
    )
    named = consortium.person("researcher", RIVERSIDE).identity.common_name
    member = consortium.ledger.caller(
        RIVERSIDE,
        attributes={"consentry.role": "researcher", "consentry.project": "other,p-1"},
        common_name="riverside-member",
    )
    conditions = Conditions(
        persons=(named, "riverside-member"),
        project_members_only=True,
        aggregate_output_only=True,
        countries=("AT",),
    )
    fields = {"not_before": consortium.instant(-1), "not_after": consortium.instant(60)}
    grant = examples.new_grant(1, conditions=conditions, **fields)
    await consortium.submit(consortium.person("dpo"), "grants:grant", grant)
    consortium.ledger.advance(timedelta(seconds=2))
    stranger = consortium.person("auditor,researcher", RIVERSIDE)
    every = ["PERSON_NOT_NAMED", "PROJECT_NOT_CERTIFIED", "OUTPUT_NOT_AGGREGATE", "COUNTRY_EXCLUDED"]
    assert await codes(consortium, 1, caller=stranger) == every
    assert await codes(consortium, 2, caller=member, output="aggregate") == ["COUNTRY_EXCLUDED"]


async def test_columns_and_categories_bound_what_an_attempt_may_use(consortium: Consortium) -> None:
    await granted(consortium, columns=("age", "größe"), data_categories=("measurements",))
    assert await codes(consortium, 1) == ["COLUMNS_NOT_NAMED"]
    assert await codes(consortium, 2, columns=("age", "name")) == ["COLUMN_NOT_COVERED"]
    assert await codes(consortium, 3, columns=("größe",)) == []
    await narrow(consortium, conditions=Conditions(columns=("age",), data_categories=("measurements",)))
    assert await codes(consortium, 4, columns=("größe",)) == ["COLUMN_NOT_COVERED"]
    held = await consortium.evaluate(
        consortium.person("service"), "deliveries:may_go_on", identifier("attempt", 3)
    )
    assert [reason["code"] for reason in held["reasons"]] == ["COLUMN_NOT_COVERED"]
    wider = narrow(consortium, conditions=Conditions(columns=("age",)))
    assert await consortium.refusal(wider) == "GRANT_WIDENED"


async def test_renewal_begins_the_duration_anew_and_only_later(consortium: Consortium) -> None:
    await granted(consortium)
    dpo, before = consortium.person("dpo"), consortium.record(Grant, keys.grant(GRANT))
    earlier = consortium.submit(dpo, "grants:renew", {"grant_id": GRANT, "not_after": before.not_after})
    assert await consortium.refusal(earlier) == "GRANT_RENEWAL_NOT_LATER"
    longest = consortium.instant(30 * 24 * 3600)
    await consortium.submit(dpo, "grants:renew", {"grant_id": GRANT, "not_after": longest})
    after = consortium.record(Grant, keys.grant(GRANT))
    assert (after.not_after, after.renewals, after.revision) == (longest, 1, 2)
    longer = {"grant_id": GRANT, "not_after": consortium.instant(31 * 24 * 3600)}
    assert await consortium.refusal(consortium.submit(dpo, "grants:renew", longer)) == "GRANT_TOO_LONG"
    stranger = consortium.submit(consortium.person("dpo", LAKESIDE), "grants:renew", longer)
    assert await consortium.refusal(stranger) == "NOT_CUSTODIAN"


async def test_narrowing_counts_at_the_next_decision_and_drops_versions(consortium: Consortium) -> None:
    await consortium.register_version(1)
    await consortium.register_version(2)
    versions = (identifier("version", 1), identifier("version", 2))
    await consortium.grant(versions=versions)
    held = await consortium.ledger.endorse(
        consortium.person("service"), "access:decide", await consortium.attempt(1, version_id=versions[1])
    )
    await narrow(consortium, versions=versions[:1], conditions=Conditions(aggregate_output_only=True))
    assert consortium.ledger.commit([held])[0].code in ("MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT")
    assert await codes(consortium, 2, version_id=versions[1]) == ["NO_GRANT"]
    assert await codes(consortium, 3) == ["OUTPUT_NOT_AGGREGATE"]
    assert await codes(consortium, 4, output="aggregate") == []
    wider = narrow(consortium, conditions=Conditions())
    assert await consortium.refusal(wider) == "GRANT_WIDENED"


async def test_the_regulator_alone_lifts_its_suspension(consortium: Consortium) -> None:
    await granted(consortium)
    regulator = consortium.person("regulator", REGULATOR)
    early = consortium.submit(regulator, "grants:lift_suspension", GRANT)
    assert await consortium.refusal(early) == "GRANT_NOT_SUSPENDED"
    await consortium.submit(regulator, "grants:suspend", GRANT)
    assert await codes(consortium, 1) == ["GRANT_SUSPENDED"]
    custodian = consortium.submit(consortium.person("dpo"), "grants:lift_suspension", GRANT)
    assert await consortium.refusal(custodian) == "ROLE_REQUIRED"
    await consortium.submit(regulator, "grants:lift_suspension", GRANT)
    assert consortium.record(Suspension, keys.suspension(GRANT)).state == "lifted"
    assert await codes(consortium, 2) == []
    await consortium.submit(regulator, "grants:suspend", GRANT)
    assert await codes(consortium, 3) == ["GRANT_SUSPENDED"]


async def test_another_regulator_suspends_what_the_first_one_lifted() -> None:
    second = "SecondRegulatorMSP"
    consortium = Consortium(second)
    known = examples.settings()
    both = (*known.organizations, OrganizationSetting(msp_id=second, kind="regulator"))
    first = consortium.person("regulator", REGULATOR)
    await consortium.submit(first, "ledger:initialize", replace(known, organizations=both))
    await granted(consortium)
    await consortium.submit(first, "grants:suspend", GRANT)
    other = consortium.person("regulator", second)
    call = consortium.submit(other, "grants:lift_suspension", GRANT)
    assert await consortium.refusal(call) == "NOT_OWNER"
    await consortium.submit(first, "grants:lift_suspension", GRANT)
    result = await consortium.submit(other, "grants:suspend", GRANT)
    assert REGULATOR in result.endorsers, "the key is under the first one's policy"
    assert await codes(consortium, 1) == ["GRANT_SUSPENDED"]
    call = consortium.submit(first, "grants:lift_suspension", GRANT)
    assert await consortium.refusal(call) == "NOT_OWNER"
    early = consortium.ledger.time - timedelta(seconds=30)
    backdated = consortium.submit(other, "grants:lift_suspension", GRANT, time=early)
    assert await consortium.refusal(backdated) == "PROPOSAL_TIME_TOO_EARLY"
    await consortium.submit(other, "grants:lift_suspension", GRANT)
    backdated = consortium.submit(other, "grants:suspend", GRANT, time=early)
    assert await consortium.refusal(backdated) == "PROPOSAL_TIME_TOO_EARLY"
    assert await codes(consortium, 2) == []


@pytest.mark.parametrize(
    ("term", "condition"),
    [
        ("DUO:0000022", {"countries": ("AT",)}),
        ("DUO:0000024", {"publication_not_before": "2027-01-01T00:00:00.000Z"}),
        ("DUO:0000026", {"persons": ("riverside-1",)}),
        ("DUO:0000027", {"project_members_only": True}),
    ],
)
async def test_terms_of_the_dataset_demand_their_condition(
    consortium: Consortium, term: str, condition: dict[str, Any]
) -> None:
    await consortium.register_version(1, duo_terms=("DUO:0000006", term))
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.submit(researcher, "grants:request", examples.new_request(1, project="p-1"))
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    dpo = consortium.person("dpo")
    without = consortium.submit(dpo, "grants:grant", examples.new_grant(1, **fields))
    assert await consortium.refusal(without) == "GRANT_CONDITION_MISSING"
    grant = examples.new_grant(1, conditions=Conditions(**condition), **fields)
    await consortium.submit(dpo, "grants:grant", grant)
