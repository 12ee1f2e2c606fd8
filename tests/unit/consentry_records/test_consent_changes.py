"""The algebra of a consent's life: nothing widens, ends are ends, independent changes have no order."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import Consent, ConsentChange, ConsentTerms, LedgerError, consent_permits
from consentry_records.consent_changes import Recording, changed, consent_as_of
from consentry_records.grant_rules import Use
from consentry_records.instants import shift
from consentry_records.vocabulary import CONSENT_RESTRICTIONS, PURPOSES

DAY = 24 * 3600 * 1000
RECIPIENTS = ("ANY_MEMBER", "ANY_HOSPITAL", "ANY_REGULATOR", *examples.HOSPITALS, examples.REGULATOR)
CATEGORIES = ("imaging", "measurements", "notes")


def some(items: Any, least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(sorted(items)), min_size=least, max_size=4, unique=True).map(tuple)


@st.composite
def terms(draw: st.DrawFn) -> ConsentTerms:
    start, length = draw(st.integers(-20, 20)), draw(st.integers(1, 40))
    return examples.terms(
        purposes=draw(some(PURPOSES)),
        restrictions=draw(some(CONSENT_RESTRICTIONS, 0)),
        categories=draw(some(CATEGORIES)),
        recipients=draw(some(RECIPIENTS)),
        not_before=shift(examples.START, start * DAY),
        not_after=shift(examples.START, (start + length) * DAY),
    )


USES = st.builds(Use, purpose=st.sampled_from(sorted(PURPOSES)), commercial=st.booleans())
MOMENTS = st.integers(-25, 65).map(lambda day: shift(examples.START, day * DAY))
WHO = st.sampled_from([*examples.HOSPITALS, examples.REGULATOR, "StrangerMSP"])


def consent(of: ConsentTerms) -> Consent:
    return examples.consent(**{name: getattr(of, name) for name in of.to_dict()})


def recording(at: str = examples.START) -> Recording:
    return Recording(recorded_at=at, recorded_by="steward-1", batch_id=None, settings=examples.settings())


def change(what: str, to: ConsentTerms | None = None, claimed_at: str | None = None) -> ConsentChange:
    return ConsentChange(
        consent_id=examples.identifier("consent"), change=what, claimed_at=claimed_at, terms=to
    )


def allows(of: Consent, use: Use, recipient: str, at: str) -> bool:
    kind = examples.settings().kind_of(recipient)
    return consent_permits(of, use, recipient=recipient, recipient_kind=kind, at=at)


def outcome(before: Consent, what: ConsentChange, refusals: set[str]) -> Consent:
    """The consent after a change; the same where the change is refused for one of these reasons."""
    try:
        return changed(before, what, recording())
    except LedgerError as error:
        if error.code not in refusals:
            raise
        return before


@given(terms(), terms(), USES, WHO, MOMENTS)
def test_narrowing_never_widens(old: ConsentTerms, new: ConsentTerms, use: Use, who: str, at: str) -> None:
    before = consent(old)
    after = outcome(before, change("narrowed", new), {"CONSENT_WIDENED", "CONSENT_UNCHANGED"})
    assert allows(before, use, who, at) or not allows(after, use, who, at)
    assert set(after.categories) <= set(before.categories)


@given(terms(), st.data(), USES, WHO, MOMENTS)
def test_what_is_cut_down_field_by_field_is_a_narrowing(
    old: ConsentTerms, data: st.DataObject, use: Use, who: str, at: str
) -> None:
    fewer = {
        name: data.draw(st.lists(st.sampled_from(getattr(old, name)), min_size=1, unique=True))
        for name in ("purposes", "categories", "recipients")
    }
    new = dataclasses.replace(old, **fewer, restrictions=tuple(CONSENT_RESTRICTIONS))
    assume(new != old)
    before = consent(old)
    after = changed(before, change("narrowed", new), recording())
    assert allows(before, use, who, at) or not allows(after, use, who, at)
    assert consent_as_of(after, shift(examples.START, -1)) is None
    assert after.events[-1].replaced == old


@given(terms(), terms(), USES, WHO, MOMENTS)
def test_a_renewal_widens_nothing_but_the_end(
    old: ConsentTerms, new: ConsentTerms, use: Use, who: str, at: str
) -> None:
    before = consent(old)
    after = outcome(before, change("renewed", new), {"CONSENT_WIDENED", "CONSENT_LAPSED"})
    assert allows(before, use, who, at) or not allows(after, use, who, at) or at >= old.not_after
    assert after is before or after.not_after > before.not_after


@given(terms(), st.sampled_from(["withdrawn", "entered-in-error"]), USES, WHO, MOMENTS)
def test_ends_permit_nothing_and_lose_no_history(
    old: ConsentTerms, what: str, use: Use, who: str, at: str
) -> None:
    before = consent(old)
    later = shift(examples.START, DAY)
    after = changed(before, change(what), recording(later))
    assert not allows(after, use, who, at)
    assert after.events[:-1] == before.events
    assert after.terms == before.terms
    earlier = consent_as_of(after, shift(later, -1))
    assert earlier is not None
    assert allows(earlier, use, who, at) == allows(before, use, who, at)


@given(st.permutations(range(3)))
def test_the_order_of_changes_to_different_consents_does_not_matter(order: list[int]) -> None:
    consents = {number: examples.consent(number) for number in range(3)}
    todo = [
        change("withdrawn"),
        change("narrowed", examples.terms(purposes=("TREAT",))),
        change("entered-in-error"),
    ]
    expected = {number: changed(consents[number], todo[number], recording()) for number in range(3)}
    for number in order:
        consents[number] = changed(consents[number], todo[number], recording())
    assert consents == expected


@pytest.mark.parametrize(
    ("state", "what", "code"),
    [
        ("withdrawn", "withdrawn", "CONSENT_ALREADY_WITHDRAWN"),
        ("entered-in-error", "withdrawn", "CONSENT_STATE_WRONG"),
        ("entered-in-error", "entered-in-error", "CONSENT_STATE_WRONG"),
        ("withdrawn", "expired", "CONSENT_STATE_WRONG"),
        ("withdrawn", "renewed", "CONSENT_STATE_WRONG"),
        ("expired", "narrowed", "CONSENT_STATE_WRONG"),
        ("given", "expired", "CONSENT_NOT_LAPSED"),
    ],
)
def test_states_rule_changes_out(state: str, what: str, code: str) -> None:
    to = examples.terms(purposes=("TREAT",)) if what in ("renewed", "narrowed") else None
    with pytest.raises(LedgerError) as caught:
        changed(examples.consent(state=state), change(what, to), recording())
    assert caught.value.code == code


def test_a_consent_full_of_events_can_still_be_withdrawn_and_found_in_error() -> None:
    full = examples.consent(events=tuple(examples.event() for _ in range(62)))
    with pytest.raises(LedgerError) as caught:
        changed(full, change("narrowed", examples.terms(purposes=("TREAT",))), recording())
    assert caught.value.code == "CONSENT_FULL"
    withdrawn = changed(full, change("withdrawn"), recording())
    assert changed(withdrawn, change("entered-in-error"), recording()).state == "entered-in-error"


def test_what_is_claimed_lies_not_after_its_recording() -> None:
    paper = changed(
        examples.consent(), change("withdrawn", claimed_at="2020-01-01T00:00:00.000Z"), recording()
    )
    assert paper.events[-1].claimed_at == "2020-01-01T00:00:00.000Z"
    assert paper.withdrawn_at == examples.START
    with pytest.raises(LedgerError) as caught:
        changed(examples.consent(), change("withdrawn", claimed_at=shift(examples.START, 2001)), recording())
    assert caught.value.code == "CLAIMED_TOO_LATE"


@pytest.mark.parametrize(("what", "to"), [("withdrawn", examples.terms()), ("narrowed", None)])
def test_terms_are_given_where_they_change(what: str, to: ConsentTerms | None) -> None:
    with pytest.raises(LedgerError) as caught:
        change(what, to)
    assert caught.value.code == "CHANGE_TERMS_INVALID"
