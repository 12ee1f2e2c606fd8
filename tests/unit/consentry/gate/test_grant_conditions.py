"""What a grant demands is enforced at the gate: who does not fulfil it gets a committed denial and no row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.consent_frames import RESEARCH
from support.gate_bench import RIVERSIDE, GateBench, all_bytes

from consentry.gate.permits import DeniedOnLedger
from consentry_records.conditions import Conditions


def granted(bench: GateBench, conditions: Conditions) -> None:
    """A grant under conditions, in place of the one without."""
    bench.steward.grants.revoke(bench.grant.grant_id)
    request = bench.researcher.grants.request(
        [bench.version.version_id], purposes=[RESEARCH], duration=timedelta(days=1), project="p-1"
    )
    bench.steward.grants.grant(
        request.request_id,
        versions=[bench.version.version_id],
        purposes=[RESEARCH],
        duration=timedelta(days=1),
        conditions=conditions,
    )
    bench.gateway.memory.advance(timedelta(seconds=5))


def denied(bench: GateBench, **options: Any) -> list[str]:
    """Why the ledger denies an attempt; nothing is delivered."""
    attempt = bench.attempt(**options)
    caller = bench.gate.caller(bench.request(attempt, options.get("ledger")))
    with pytest.raises(DeniedOnLedger) as caught:
        bench.gate.deliver(attempt, None, caller)
    assert caught.value.decision == bench.researcher.access.get(attempt).decision
    assert bench.researcher.transactions.evaluate("deliveries:of_attempt", attempt) == []
    reasons = [reason.code for reason in caught.value.decision.reasons]
    return [code for code in reasons if code != "GRANT_REVOKED"]


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (Conditions(persons=("somebody-else",)), "PERSON_NOT_NAMED"),
        (Conditions(countries=("AT",)), "COUNTRY_EXCLUDED"),
        (Conditions(project_members_only=True), "PROJECT_NOT_CERTIFIED"),
        (Conditions(aggregate_output_only=True), "OUTPUT_NOT_AGGREGATE"),
        (Conditions(columns=("radius",)), "COLUMNS_NOT_NAMED"),
        (Conditions(data_categories=("genomics",)), "CATEGORY_NOT_COVERED"),
    ],
)
def test_who_does_not_fulfil_a_condition_gets_no_row(
    bench: GateBench, conditions: Conditions, reason: str
) -> None:
    granted(bench, conditions)
    assert denied(bench) == [reason]


def test_only_who_is_named_gets_rows(bench: GateBench, ledger_of: Any) -> None:
    granted(bench, Conditions(persons=(bench.researcher.identity.enrolment_id,)))
    assert denied(bench, ledger=ledger_of(RIVERSIDE, "researcher")) == ["PERSON_NOT_NAMED"]
    assert all_bytes(bench.deliver(bench.attempt()))


def test_limited_uses_are_counted_by_attempts(bench):
    granted(bench, Conditions(maximum_uses=1))
    attempt = bench.attempt()
    first = bench.deliver(attempt)
    all_bytes(first, blocks=1)
    assert bench.gate.finish(first, "recipient-gone")[1]
    token = bench.gate._parts.tokens.make(attempt, bench.gate.caller(bench.request(attempt)).key, 8)
    second = bench.deliver(attempt, token=token)
    all_bytes(second)
    assert bench.gate.finish(second, "completed")[1]
    assert denied(bench) == ["USES_EXHAUSTED"]
