"""What a dishonest member tries around grants and decisions: refused with stable codes, and nothing is
written.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, RIVERSIDE, identifier

from consentry_records import Conditions, keys
from fabric_shim import ContractError

GRANT = identifier("grant")
VERSION = identifier("version")
HOSTILE_TEXTS = (
    "x" * 1_000_000,
    "request-" + "0" * 31 + "а",
    "request-" + "０" * 32,
    "request-" + "A" * 32,
    "request-" + "0" * 31 + "/",
    "request-" + "0" * 30 + "e\u0301",
    "../" + identifier("request"),
    identifier("request") + "\x00",
    "\ud800",
)


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
@pytest.mark.parametrize("field", ["request_id", "project", "versions"])
async def test_hostile_texts_fit_no_field(consortium: Consortium, field: str, text: str) -> None:
    document = {**examples.new_request().to_dict(), field: [text] if field == "versions" else text}
    argument = json.dumps(document).encode()
    call = consortium.submit(consortium.person("researcher", RIVERSIDE), "grants:request", argument)
    assert await consortium.refusal(call) in ("FIELD_INVALID", "ARGUMENT_INVALID", "JSON_INVALID")


@pytest.mark.parametrize("depth", [17, 500, 100_000])
async def test_deep_nesting_is_refused(consortium: Consortium, depth: int) -> None:
    argument = b'{"conditions":' + b"[" * depth + b"]" * depth + b"}"
    call = consortium.submit(consortium.person("dpo"), "grants:grant", argument)
    assert await consortium.refusal(call) in ("ARGUMENT_INVALID", "FIELD_MISSING", "JSON_INVALID")


@pytest.mark.parametrize(
    "roles", ["Researcher", "researcher;service", "researchеr", " researcher", "researcher\u200b", "*"]
)
async def test_a_forged_role_is_none(consortium: Consortium, roles: str) -> None:
    await consortium.register_version()
    forger = consortium.person(roles, RIVERSIDE)
    call = consortium.submit(forger, "grants:request", examples.new_request())
    assert await consortium.refusal(call) == "ROLE_REQUIRED"
    claimed = {**examples.new_request().to_dict(), "roles": ["researcher"]}
    honest = consortium.person("researcher", RIVERSIDE)
    assert await consortium.refusal(consortium.submit(honest, "grants:request", claimed)) == "FIELD_UNKNOWN"


async def test_a_grant_is_not_replayed_for_another_request_or_organization(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    thief = consortium.person("researcher", LAKESIDE)
    attempt = examples.new_attempt(1)
    await consortium.submit(thief, "access:attempt", attempt)
    decision = await consortium.decide(attempt.attempt_id)
    assert [reason["code"] for reason in decision["reasons"]] == ["NO_GRANT"]
    again = examples.new_grant(1, not_before=consortium.instant(), not_after=consortium.instant(60))
    assert await consortium.refusal(consortium.submit(consortium.person("dpo"), "grants:grant", again)) == (
        "GRANT_EXISTS"
    )
    foreign = examples.new_grant(2, not_before=consortium.instant(), not_after=consortium.instant(60))
    call = consortium.submit(consortium.person("dpo", LAKESIDE), "grants:grant", foreign)
    assert await consortium.refusal(call) == "NOT_CUSTODIAN"


async def test_a_colluding_requester_decides_nothing_himself(consortium: Consortium) -> None:
    await consortium.register_version()
    attempt_id = await consortium.attempt()
    for roles in ("service", "service,researcher", "regulator,service"):
        call = consortium.submit(consortium.person(roles, RIVERSIDE), "access:decide", attempt_id)
        assert await consortium.refusal(call) == "NOT_CUSTODIAN"
    for roles in ("researcher", "steward,dpo", ""):
        call = consortium.submit(consortium.person(roles, NORTHGATE), "access:decide", attempt_id)
        assert await consortium.refusal(call) == "ROLE_REQUIRED"


async def test_back_dating_brings_no_grant_back(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant(seconds=10)
    consortium.ledger.advance(timedelta(seconds=50))
    attempt = examples.new_attempt(1)
    researcher = consortium.person("researcher", RIVERSIDE)
    in_the_grant = consortium.ledger.time - timedelta(seconds=45)
    await consortium.submit(researcher, "access:attempt", attempt, time=in_the_grant)
    decision = await consortium.decide(attempt.attempt_id)
    assert [reason["code"] for reason in decision["reasons"]] == ["GRANT_EXPIRED"]


@pytest.mark.parametrize("shift", [timedelta(days=-30), timedelta(minutes=10), timedelta(days=3650)])
async def test_proposals_far_from_the_peers_clocks_are_endorsed_by_nobody(
    consortium: Consortium, shift: timedelta
) -> None:
    await consortium.register_version()
    attempt_id = await consortium.attempt()
    service, time = consortium.person("service"), consortium.ledger.time + shift
    with pytest.raises(ContractError) as caught:
        await consortium.ledger.submit(service, "access:decide", attempt_id, time=time)
    assert caught.value.code == "PROPOSAL_TIME_REFUSED"
    assert consortium.ledger.state(keys.decision(attempt_id)) is None


@pytest.mark.parametrize("change", ["revoke", "narrow", "renew", "lift"])
async def test_a_permit_that_is_held_past_a_change_is_void(consortium: Consortium, change: str) -> None:
    await consortium.register_version()
    await consortium.grant(conditions=Conditions(maximum_uses=5))
    if change == "lift":
        regulator = consortium.person("regulator", "RegulatorMSP")
        await consortium.submit(regulator, "grants:suspend", GRANT)
    attempt_id = await consortium.attempt()
    held = await consortium.ledger.endorse(consortium.person("service"), "access:decide", attempt_id)
    end = consortium.end_of_grant(GRANT)
    dpo = consortium.person("dpo")
    if change == "revoke":
        await consortium.submit(dpo, "grants:revoke", GRANT)
    elif change == "renew":
        later = {"grant_id": GRANT, "not_after": consortium.instant(7200)}
        await consortium.submit(dpo, "grants:renew", later)
    elif change == "narrow":
        narrower = examples.narrowed(1, conditions=Conditions(maximum_uses=1), not_after=end)
        await consortium.submit(dpo, "grants:narrow", narrower)
    else:
        await consortium.submit(regulator, "grants:lift_suspension", GRANT)
    assert consortium.ledger.commit([held])[0].code == "MVCC_READ_CONFLICT"
    assert consortium.ledger.state(keys.decision(attempt_id)) is None
    uses = [key for key in consortium.ledger.states() if key.startswith("use/")]
    assert len(uses) == (4 if change == "narrow" else 0)


async def test_a_doubled_id_is_taken_once(consortium: Consortium) -> None:
    await consortium.register_version()
    researcher = consortium.person("researcher", RIVERSIDE)
    first = await consortium.ledger.endorse(researcher, "grants:request", examples.new_request())
    second = await consortium.ledger.endorse(
        researcher, "grants:request", examples.new_request(1, purposes=("TREAT",))
    )
    codes = [result.code for result in consortium.ledger.commit([first, second])]
    assert codes == ["VALID", "MVCC_READ_CONFLICT"]
