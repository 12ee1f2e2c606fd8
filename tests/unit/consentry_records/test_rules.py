"""The rules: default is deny, and no permit outside the period, after revocation, or for an uncovered use."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import (
    AccessAttempt,
    AccessDecision,
    DatasetVersion,
    Decision,
    Grant,
    Suspension,
    consent_permits,
    decide,
)
from consentry_records import rule_catalogue as rule
from consentry_records.grant_rules import Use
from consentry_records.instants import shift
from consentry_records.reasons import words
from consentry_records.rule_catalogue import RULES
from consentry_records.vocabulary import (
    DUO_TERMS,
    PURPOSES,
    RESTRICTIONS,
    covers,
    excludes_commercial_use,
    is_secondary_use,
    terms_cover,
)

TOLERANCE = 2000
SETTINGS = examples.settings(TOLERANCE)


def decided(
    attempt: AccessAttempt | None = None,
    grants: list[Grant] | None = None,
    suspensions: tuple[Suspension, ...] = (),
    version: DatasetVersion | None = None,
    at: str = examples.MIDDLE,
) -> Decision:
    return decide(
        attempt or examples.attempt(),
        version or examples.version(),
        [examples.grant()] if grants is None else grants,
        suspensions,
        SETTINGS,
        "e" * 64,
        at,
    )


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_a_grant_that_holds_permits_until_its_end() -> None:
    decision = decided()
    assert decision.outcome == "permit"
    assert decision.grant_id == examples.identifier("grant")
    assert decision.permit_not_after == examples.END
    assert decision.reasons == ()
    record = decision.record(examples.attempt())
    assert (record.permits, record.epoch, record.decided_at) == (True, "e" * 64, examples.MIDDLE)
    assert {*record.rules, rule.FUNCTION, rule.EMERGENCY, "disease/1"} == set(RULES)
    assert "disease/2" in record.rules
    earlier = record.to_dict() | {"rules": ["disease/1"]}
    assert AccessDecision.from_dict(earlier).rules == ("disease/1",)


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (decided(grants=[]), "NO_GRANT"),
        (decided(grants=[examples.grant(grantee=examples.LAKESIDE)]), "NO_GRANT"),
        (decided(grants=[examples.grant(custodian=examples.LAKESIDE)]), "NO_GRANT"),
        (decided(grants=[examples.grant(versions=(examples.identifier("version", 2),))]), "NO_GRANT"),
        (decided(version=examples.version(2)), "NO_GRANT"),
        (decided(examples.attempt(roles=())), "ROLE_MISSING"),
        (decided(examples.attempt(roles=("auditor", "steward"))), "ROLE_MISSING"),
        (decided(examples.attempt(requester_msp="StrangerMSP")), "REQUESTER_UNKNOWN"),
        (decided(examples.attempt(purpose="TREAT")), "PURPOSE_NOT_COVERED"),
        (decided(examples.attempt(purpose="DUO:0000042")), "PURPOSE_NOT_COVERED"),
        (decided(version=examples.version(duo_terms=("DUO:0000007",))), "PURPOSE_EXCLUDED_BY_DATASET"),
        (decided(grants=[examples.grant(state="revoked")]), "GRANT_REVOKED"),
        (decided(suspensions=(examples.suspension(),)), "GRANT_SUSPENDED"),
        (decided(at=examples.END), "GRANT_EXPIRED"),
        (decided(at=shift(examples.START, -1)), "GRANT_NOT_YET_VALID"),
        (
            decided(
                examples.attempt(commercial=True), grants=[examples.grant(restrictions=("DUO:0000046",))]
            ),
            "COMMERCIAL_USE_EXCLUDED",
        ),
        (
            decided(
                examples.attempt(commercial=True),
                version=examples.version(duo_terms=("DUO:0000006", "DUO:0000018")),
            ),
            "COMMERCIAL_USE_EXCLUDED",
        ),
        (decided(grants=[examples.grant(restrictions=("DUO:0000021",))]), "ETHICS_APPROVAL_MISSING"),
    ],
)
def test_denials_say_why(decision: Decision, code: str) -> None:
    assert decision.outcome == "deny"
    assert code in codes(decision)
    assert (decision.grant_id, decision.permit_not_after) == (None, None)
    record = decision.record(examples.attempt())
    assert all(words(reason) for reason in record.reasons)


def test_ethics_approval_that_is_given_satisfies_its_restriction() -> None:
    grant = examples.grant(restrictions=("DUO:0000021",), ethics_approval_digest=examples.digest("approval"))
    assert decided(grants=[grant]).outcome == "permit"


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (shift(examples.START, TOLERANCE - 1), "deny"),
        (shift(examples.START, TOLERANCE), "permit"),
        (shift(examples.END, -TOLERANCE - 1), "permit"),
        (shift(examples.END, -TOLERANCE), "deny"),
    ],
)
def test_a_grant_must_hold_over_all_of_the_tolerance(at: str, outcome: str) -> None:
    assert decided(at=at).outcome == outcome


def test_of_several_grants_the_one_that_holds_longest_counts_then_the_lowest_id() -> None:
    later = shift(examples.END, 1000)
    grants = [
        examples.grant(3, not_after=later),
        examples.grant(2, not_after=later),
        examples.grant(1),
        examples.grant(4, state="revoked", not_after=shift(later, 1)),
    ]
    decision = decided(grants=grants)
    assert (decision.grant_id, decision.permit_not_after) == (examples.identifier("grant", 2), later)
    assert decided(grants=grants[::-1]) == decision


def test_reasons_are_limited_and_ordered() -> None:
    grants = [examples.grant(number, state="revoked") for number in range(40, 0, -1)]
    decision = decided(grants=grants)
    assert len(decision.reasons) == 32
    assert [reason.parameters["grant_id"] for reason in decision.reasons] == [
        examples.identifier("grant", number) for number in range(1, 33)
    ]
    assert decision.record(examples.attempt()).outcome == "deny"


GRANTS = st.builds(
    examples.grant,
    st.integers(1, 3),
    state=st.sampled_from(["active", "revoked"]),
    grantee=st.sampled_from([examples.RIVERSIDE, examples.LAKESIDE]),
    custodian=st.sampled_from([examples.NORTHGATE, examples.LAKESIDE]),
    versions=st.sampled_from([(examples.identifier("version", 1),), (examples.identifier("version", 2),)]),
    purposes=st.lists(st.sampled_from(sorted(PURPOSES)), min_size=1, unique=True).map(tuple),
    restrictions=st.lists(st.sampled_from(sorted(RESTRICTIONS)), unique=True).map(tuple),
    ethics_approval_digest=st.sampled_from([None, examples.digest("approval")]),
    not_before=st.integers(-10, 5).map(lambda days: shift(examples.MIDDLE, days * 86_400_000)),
    not_after=st.integers(6, 20).map(lambda days: shift(examples.MIDDLE, days * 86_400_000)),
)
ATTEMPTS = st.builds(
    examples.attempt,
    purpose=st.sampled_from(sorted(PURPOSES)),
    commercial=st.booleans(),
    roles=st.sampled_from([(), ("researcher",), ("steward",), ("auditor", "researcher")]),
    requester_msp=st.sampled_from([examples.RIVERSIDE, examples.LAKESIDE, "StrangerMSP"]),
)
VERSIONS = st.builds(
    examples.version,
    duo_terms=st.lists(st.sampled_from(sorted(DUO_TERMS)), max_size=4, unique=True).map(tuple),
)
TIMES = st.integers(-30 * 86_400_000, 30 * 86_400_000).map(lambda step: shift(examples.MIDDLE, step))


@given(
    ATTEMPTS,
    VERSIONS,
    st.lists(GRANTS, max_size=3, unique_by=lambda grant: grant.grant_id),
    st.booleans(),
    TIMES,
)
def test_no_permit_without_every_condition(
    attempt: AccessAttempt, version: DatasetVersion, grants: list[Grant], suspended: bool, at: str
) -> None:
    suspensions = (examples.suspension(1),) if suspended else ()
    decision = decided(attempt, grants, suspensions, version, at)
    holding = [
        grant
        for grant in grants
        if grant.state == "active"
        and not (suspended and grant.grant_id == examples.identifier("grant", 1))
        and grant.grantee == attempt.requester_msp
        and grant.custodian == version.custodian == attempt.custodian
        and attempt.version_id in grant.versions
        and grant.not_before <= shift(at, -TOLERANCE)
        and shift(at, TOLERANCE) < grant.not_after
        and any(attempt.purpose == p or p == "DUO:0000042" or p == "DUO:0000006" for p in grant.purposes)
        and covers(grant.purposes, attempt.purpose)
        and terms_cover(version.duo_terms, attempt.purpose)
        and not (attempt.commercial and excludes_commercial_use((*grant.restrictions, *version.duo_terms)))
        and (grant.ethics_approval_digest or "DUO:0000021" not in (*grant.restrictions, *version.duo_terms))
    ]
    allowed = bool(holding) and "researcher" in attempt.roles and attempt.requester_msp in SETTINGS.msp_ids
    assert (decision.outcome == "permit") == allowed
    assert (decision.outcome == "deny") == bool(decision.reasons)
    if decision.outcome == "permit":
        assert decision.permit_not_after == max(grant.not_after for grant in holding)
        assert decision.permit_not_after > at
        assert decision.grant_id in {grant.grant_id for grant in holding}
    assert decision.record(attempt).attempt_id == attempt.attempt_id


@given(st.sampled_from(sorted(PURPOSES)), st.sampled_from(sorted(PURPOSES)))
def test_coverage_is_a_partial_order_that_keeps_care_apart(wide: str, narrow: str) -> None:
    assert covers((wide,), wide)
    assert not covers((), narrow)
    if wide != narrow and covers((wide,), narrow):
        assert not covers((narrow,), wide)
        assert is_secondary_use(wide) == is_secondary_use(narrow)


def permitted(at: str = examples.MIDDLE, **changes: Any) -> bool:
    use = Use(purpose=changes.pop("purpose", "DUO:0000006"), commercial=changes.pop("commercial", False))
    recipient = changes.pop("recipient", examples.RIVERSIDE)
    kind = examples.settings().kind_of(recipient)
    return consent_permits(examples.consent(**changes), use, recipient=recipient, recipient_kind=kind, at=at)


def test_a_consent_permits_what_it_says_and_nothing_else() -> None:
    assert permitted()
    assert permitted(purpose="DUO:0000007")
    assert permitted(at=examples.START)
    assert permitted(recipients=(examples.RIVERSIDE,))
    assert permitted(recipients=(examples.LAKESIDE,), recipient=examples.NORTHGATE)
    assert not permitted(at=shift(examples.START, -1))
    assert not permitted(at=examples.END)
    assert not permitted(purpose="DUO:0000042")
    assert not permitted(purpose="HPAYMT")
    assert not permitted(commercial=True)
    assert permitted(commercial=True, restrictions=())
    assert not permitted(recipients=(examples.LAKESIDE,))
    assert not permitted(recipient="StrangerMSP")
    for state in ("withdrawn", "expired", "entered-in-error"):
        assert not permitted(state=state)


@given(
    st.sampled_from(["withdrawn", "expired", "entered-in-error"]),
    st.sampled_from(sorted(PURPOSES)),
    st.booleans(),
    st.sampled_from([*examples.HOSPITALS, "StrangerMSP"]),
    TIMES,
)
def test_a_consent_that_has_ended_permits_nothing(
    state: str, purpose: str, commercial: bool, recipient: str, at: str
) -> None:
    assert not permitted(
        at, state=state, purposes=tuple(PURPOSES), purpose=purpose, commercial=commercial, recipient=recipient
    )
