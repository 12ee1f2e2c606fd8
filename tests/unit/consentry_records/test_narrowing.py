"""A narrowed grant permits nothing that it did not permit before; reviews count as demanded."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import Conditions, Grant, LedgerError, Review, ReviewPolicy
from consentry_records.grant_checks import narrowed
from consentry_records.grant_rules import Use, grant_refusals
from consentry_records.instants import shift
from consentry_records.review import check_reviews, encode_rationale
from consentry_records.vocabulary import PURPOSES, RESTRICTIONS

SETTINGS = examples.settings()
COLUMNS = ("age", "stage", "größe")
PEOPLE = ("riverside-1", "riverside-2", "riverside-3")
DISEASES = ("MONDO:0005015", "MONDO:0005148", "MONDO:0004992", "MONDO:9999999")
HOUR = 3_600_000


def some(values: Any, minimum: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(sorted(values)), min_size=minimum, max_size=3, unique=True).map(tuple)


CONDITIONS = st.builds(
    Conditions,
    maximum_uses=st.none() | st.integers(1, 5),
    persons=some(PEOPLE),
    project_members_only=st.booleans(),
    aggregate_output_only=st.booleans(),
    countries=some(("AT", "DE", "FR")),
    publication_not_before=st.none() | st.sampled_from([examples.START, examples.END]),
    columns=some(COLUMNS),
    data_categories=some(("measurements", "genomics")),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "versions": some([examples.identifier("version", number) for number in (1, 2, 3)], 1),
    "purposes": some(PURPOSES, 1),
    "restrictions": some(RESTRICTIONS),
    "diseases": some(DISEASES),
    "conditions": CONDITIONS,
    "not_after": st.integers(1, 5).map(lambda hours: shift(examples.MIDDLE, hours * HOUR)),
}
GRANTS = st.builds(examples.grant, project=st.just("some-project"), **FIELDS)
NARROWER = st.builds(examples.narrowed, **FIELDS)
USES = st.builds(
    Use,
    purpose=st.sampled_from(sorted(PURPOSES)),
    commercial=st.booleans(),
    diseases=some(DISEASES),
    output=st.sampled_from(["rows", "aggregate"]),
    requester=st.sampled_from(PEOPLE),
    projects=st.sampled_from([(), ("some-project",)]),
    country=st.none() | st.sampled_from(["AT", "DE"]),
    columns=some((*COLUMNS, "other")),
)


def permits(grant: Grant, version: int, use: Use, at: str) -> bool:
    made = examples.version(version)
    refusals = grant_refusals(grant, made, use, suspended=False, settings=SETTINGS, at=at)
    return made.version_id in grant.versions and not refusals


@given(GRANTS, NARROWER, USES, st.integers(1, 3), st.integers(-1, 6))
def test_narrowing_never_widens(grant: Grant, narrower: Any, use: Use, version: int, hours: int) -> None:
    with suppress(LedgerError):
        after = narrowed(grant, narrower)
        check_narrower(grant, after, use, version, hours)


def check_narrower(grant: Grant, after: Grant, use: Use, version: int, hours: int) -> None:
    at = shift(examples.MIDDLE, hours * HOUR)
    if permits(after, version, use, at):
        assert permits(grant, version, use, at)
    before, now = grant.conditions, after.conditions
    assert before.maximum_uses is None or (now.maximum_uses or 9) <= before.maximum_uses
    assert (now.publication_not_before or "") >= (before.publication_not_before or "")
    assert after.revision == grant.revision + 1


@given(GRANTS)
def test_a_grant_is_no_wider_than_itself(grant: Grant) -> None:
    assume(not grant.conditions.project_members_only or grant.project)
    same = examples.narrowed(
        versions=grant.versions,
        purposes=grant.purposes,
        restrictions=grant.restrictions,
        diseases=grant.diseases,
        conditions=grant.conditions,
        not_after=grant.not_after,
    )
    after = narrowed(grant, same)
    assert replace(after, revision=grant.revision, use_slots=grant.use_slots) == grant


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("versions", {"versions": (examples.identifier("version", 2),)}),
        ("purposes", {"purposes": ("DUO:0000042",)}),
        ("not_after", {"not_after": shift(examples.END, 1)}),
    ],
)
def test_the_first_wider_field_is_named(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(LedgerError) as caught:
        narrowed(examples.grant(), examples.narrowed(**change))
    assert (caught.value.code, caught.value.fields["field"]) == ("GRANT_WIDENED", field)


def review(reviewer: str, recommendation: str, *roles: str) -> Review:
    return Review(
        request_id=examples.identifier("request"),
        recommendation=recommendation,
        reasons=("PURPOSE_FITS",),
        rationale_digest=None,
        custodian=examples.NORTHGATE,
        reviewer=reviewer,
        roles=tuple(sorted(roles)),
        match="yes",
        reviewed_at=examples.START,
    )


def policy(approvals: int, *roles: str) -> ReviewPolicy:
    return ReviewPolicy(
        approvals=approvals,
        required_roles=roles,
        custodian=examples.NORTHGATE,
        set_by="dpo-1",
        set_at=examples.START,
    )


@pytest.mark.parametrize(
    ("demand", "reviews", "code"),
    [
        (None, [], None),
        (None, [review("a", "reject")], "REVIEWS_REJECT"),
        (None, [review("a", "reject"), review("b", "approve")], "REVIEWS_REJECT"),
        (None, [review("a", "reject"), review("b", "approve"), review("c", "approve")], None),
        (policy(2), [review("a", "approve"), review("b", "abstain")], "REVIEWS_MISSING"),
        (policy(2), [review("a", "approve"), review("b", "approve")], None),
        (policy(1, "ethics"), [review("a", "approve", "dpo")], "REVIEW_ROLE_MISSING"),
        (policy(1, "ethics", "dpo"), [review("a", "approve", "dpo", "ethics")], None),
    ],
)
def test_reviews_count(demand: ReviewPolicy | None, reviews: list[Review], code: str | None) -> None:
    if code is None:
        check_reviews(demand, reviews)
        return
    with pytest.raises(LedgerError) as caught:
        check_reviews(demand, reviews)
    assert caught.value.code == code


def test_equal_rationales_have_different_digests() -> None:
    assert encode_rationale(bytes(32), "fits") != encode_rationale(b"\x01" * 32, "fits")
    with pytest.raises(ValueError, match="32 bytes"):
        encode_rationale(b"", "fits")
    with pytest.raises(LedgerError) as caught:
        encode_rationale(bytes(32), "x" * 20_000)
    assert caught.value.code == "TOO_LARGE"
