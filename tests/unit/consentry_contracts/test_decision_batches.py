"""Several attempts decided in one transaction: as if one by one, all of them or none."""

from __future__ import annotations

from typing import Any

import pytest
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, identifier
from support.story import RESEARCH

from consentry_records import AccessDecision, Conditions, DecisionBatch, keys
from consentry_records.access import MAXIMUM_DECISIONS
from consentry_records.canonical import decode


async def decide_together(consortium: Consortium, *attempt_ids: str) -> list[Any]:
    """Decide and return the committed decisions."""
    await consortium.submit(
        consortium.person("service"), "access:decide_batch", DecisionBatch(attempts=attempt_ids)
    )
    return [consortium.record(AccessDecision, keys.decision(attempt_id)) for attempt_id in attempt_ids]


async def refused(consortium: Consortium, *attempt_ids: str, caller: Any = None) -> str:
    service = caller or consortium.person("service")
    batch = {"attempts": list(attempt_ids)}
    return await consortium.refusal(consortium.submit(service, "access:decide_batch", batch))


async def test_decisions_made_together_are_those_made_one_by_one(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    callers = (None, consortium.person("", RIVERSIDE), consortium.person("researcher", REGULATOR), None)
    attempts = [
        await consortium.attempt(number, caller, purpose="TREAT" if number == 4 else RESEARCH)
        for number, caller in enumerate(callers, 1)
    ]
    together = await decide_together(consortium, *attempts)
    found = [(decision.outcome, [reason.code for reason in decision.reasons]) for decision in together]
    assert found == [
        ("permit", []),
        ("deny", ["ROLE_MISSING"]),
        ("deny", ["NO_GRANT"]),
        ("deny", ["PURPOSE_NOT_COVERED"]),
    ]
    for number, (caller, decision) in enumerate(zip(callers, together, strict=True), 11):
        purpose = "TREAT" if number == 14 else RESEARCH
        single = await consortium.decide(await consortium.attempt(number, caller, purpose=purpose))
        same = set(single) - {"attempt_id", "decided_at"}
        assert {name: single[name] for name in same} == {name: decision.to_dict()[name] for name in same}


async def test_the_event_counts_the_decisions(consortium: Consortium) -> None:
    await consortium.register_version()
    attempts = tuple([await consortium.attempt(number) for number in (1, 2)])
    result = await consortium.submit(
        consortium.person("service"), "access:decide_batch", DecisionBatch(attempts=attempts)
    )
    assert result.event is not None
    assert result.event.name == "AccessBatchDecided.v1"
    assert decode(result.event.payload) == {"custodian": NORTHGATE, "count": 2}


@pytest.mark.parametrize("maximum", [1, 2, 3, 5])
async def test_no_use_is_taken_twice_in_one_transaction(consortium: Consortium, maximum: int) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant(conditions=Conditions(maximum_uses=maximum))
    attempts = [await consortium.attempt(number) for number in range(1, 6)]
    decisions = await decide_together(consortium, *attempts)
    uses = [decision.use for decision in decisions if decision.permits]
    assert sorted(uses) == list(range(1, maximum + 1))
    assert [decision.permits for decision in decisions] == [True] * maximum + [False] * (5 - maximum)
    denied = {reason.code for decision in decisions if not decision.permits for reason in decision.reasons}
    assert denied == ({"USES_EXHAUSTED"} if maximum < 5 else set())
    assert sorted(consortium.taken_uses(grant_id)) == sorted(
        attempt_id.encode() for attempt_id in attempts[:maximum]
    )


async def test_a_revocation_that_commits_first_voids_all_of_them(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    batch = DecisionBatch(attempts=(await consortium.attempt(1), await consortium.attempt(2)))
    held = await consortium.ledger.endorse(consortium.person("service"), "access:decide_batch", batch)
    await consortium.submit(consortium.person("dpo"), "grants:revoke", grant_id)
    assert consortium.ledger.commit([held])[0].code == "MVCC_READ_CONFLICT"
    decisions = await decide_together(consortium, *batch.attempts)
    assert [decision.outcome for decision in decisions] == ["deny", "deny"]


async def test_one_that_cannot_be_decided_leaves_all_undecided(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.register_version(2, LAKESIDE)
    known, open_one = await consortium.attempt(1), await consortium.attempt(2)
    foreign = await consortium.attempt(3, version_id=identifier("version", 2))
    await consortium.decide(known)
    assert await refused(consortium, open_one, known) == "ATTEMPT_ALREADY_DECIDED"
    assert await refused(consortium, open_one, foreign) == "NOT_CUSTODIAN"
    assert await refused(consortium, open_one, identifier("attempt", 9)) == "ATTEMPT_NOT_FOUND"
    assert await refused(consortium, open_one, caller=consortium.person("researcher")) == "ROLE_REQUIRED"


async def test_malformed_batches_are_refused(consortium: Consortium) -> None:
    await consortium.register_version()
    attempt_id = await consortium.attempt(1)
    many = [identifier("attempt", number) for number in range(MAXIMUM_DECISIONS + 1)]
    for attempts in ([], [attempt_id, attempt_id], ["attempt-1"], ["version" + attempt_id[7:]], many):
        assert await refused(consortium, *attempts) == "FIELD_INVALID"
