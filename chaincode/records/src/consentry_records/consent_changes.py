"""What becomes of a consent: renewed, narrowed, withdrawn, expired, entered in error. Who may is elsewhere.

No change ever allows what the consent did not allow before, but for a renewal's later end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from .consent import (
    ENTERED_IN_ERROR,
    EVENTS,
    EXPIRED,
    GIVEN,
    MAXIMUM_EVENTS,
    MAXIMUM_QUERY,
    NARROWED,
    RENEWED,
    WITHDRAWN,
    Consent,
    ConsentEvent,
    ConsentTerms,
)
from .errors import LedgerError
from .instants import shift
from .kinds import DIGEST, INSTANT, MSP_ID, Choice, Many, Nullable, identifier
from .record import Nested, Record, field_names
from .settings import Settings
from .vocabulary import covers, recipient_within

CHANGES = tuple(event for event in EVENTS if event != GIVEN)
_WITH_TERMS = (RENEWED, NARROWED)
_LEFT_FOR_ENDS = 2
TAKES_AWAY = (NARROWED, WITHDRAWN, ENTERED_IN_ERROR)
"""Changes that void decisions in flight: they allow less than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange(Record):
    """One change as the custodian submits it; `terms` are the new ones of a renewal or narrowing, else null.

    `claimed_at` is when the subject declared it where that was earlier than its recording.
    """

    consent_id: Annotated[str, identifier("consent")]
    change: Annotated[str, Choice(CHANGES)]
    claimed_at: Annotated[str | None, Nullable(INSTANT)]
    terms: Annotated[ConsentTerms | None, Nullable(Nested(ConsentTerms))]

    def check(self) -> None:
        """Terms are given exactly where the change needs some; raises LedgerError CHANGE_TERMS_INVALID."""
        if (self.terms is not None) != (self.change in _WITH_TERMS):
            raise LedgerError("CHANGE_TERMS_INVALID", {"change": self.change})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChangeBatch(Record):
    """Argument of `consents:change`: up to 400 changes, one for each consent; a batch is recorded once.

    `private_entry_digest` is that of the private batch entry that says how each came about, null where
    nothing is kept of that.
    """

    batch_id: Annotated[str, identifier("batch")]
    custodian: Annotated[str, MSP_ID]
    private_entry_digest: Annotated[str | None, Nullable(DIGEST)]
    changes: Annotated[tuple[ConsentChange, ...], Many(Nested(ConsentChange), 1, MAXIMUM_QUERY)]

    def check(self) -> None:
        """No consent twice; raises LedgerError ID_DOUBLED."""
        seen: set[str] = set()
        for change in self.changes:
            if change.consent_id in seen:
                raise LedgerError("ID_DOUBLED", {"what": "consent", "id": change.consent_id})
            seen.add(change.consent_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Who records a change, when by his clock, in which private batch, on a ledger of which settings."""

    recorded_at: str
    recorded_by: str
    batch_id: str | None
    settings: Settings


def changed(consent: Consent, change: ConsentChange, recording: Recording) -> Consent:
    """The consent after a change.

    Raises LedgerError CONSENT_ALREADY_WITHDRAWN, CONSENT_STATE_WRONG, CONSENT_FULL, CONSENT_LAPSED,
    CONSENT_NOT_LAPSED, CONSENT_WIDENED, CONSENT_UNCHANGED, CLAIMED_TOO_LATE.
    """
    _check_state(consent, change.change)
    check_claim(change.claimed_at, recording.recorded_at, recording.settings)
    _check_lapse(consent, change.change, recording)
    if change.terms is not None:
        _check_terms(consent, change.change, change.terms, recording.settings)
    event = ConsentEvent(
        event=change.change,
        recorded_at=recording.recorded_at,
        recorded_by=recording.recorded_by,
        claimed_at=change.claimed_at,
        batch_id=recording.batch_id,
        replaced=consent.terms if change.terms is not None else None,
    )
    events = (*consent.events, event)
    if change.terms is None:
        return replace(consent, state=change.change, events=events)
    terms = {name: getattr(change.terms, name) for name in field_names(ConsentTerms)}
    return replace(consent, events=events, **terms)


def consent_as_of(consent: Consent, at: str) -> Consent | None:
    """The consent as it was at an instant, by the times of its recordings; None before it was recorded."""
    kept = [event for event in consent.events if event.recorded_at <= at]
    if not kept:
        return None
    later = next(
        (event.replaced for event in consent.events[len(kept) :] if event.replaced is not None), None
    )
    terms = consent.terms if later is None else later
    ends = [event.event for event in kept if event.event not in (RENEWED, NARROWED)]
    fields = {name: getattr(terms, name) for name in field_names(ConsentTerms)}
    return replace(consent, **fields, state=ends[-1], events=tuple(kept))


def check_claim(claimed_at: str | None, recorded_at: str, settings: Settings) -> None:
    """Refuse what is claimed to happen after its recording; raises LedgerError CLAIMED_TOO_LATE."""
    if claimed_at is not None and claimed_at > shift(recorded_at, settings.time_tolerance_ms):
        raise LedgerError("CLAIMED_TOO_LATE", {"recorded_at": recorded_at})


def _check_state(consent: Consent, change: str) -> None:
    named = {"consent_id": consent.consent_id}
    if change == WITHDRAWN and consent.state == WITHDRAWN:
        raise LedgerError("CONSENT_ALREADY_WITHDRAWN", named)
    allowed = {WITHDRAWN: (GIVEN, EXPIRED), ENTERED_IN_ERROR: (GIVEN, EXPIRED, WITHDRAWN)}
    if consent.state not in allowed.get(change, (GIVEN,)):
        raise LedgerError("CONSENT_STATE_WRONG", {**named, "state": consent.state})
    # A consent can be withdrawn and found in error however often it was renewed.
    if len(consent.events) >= MAXIMUM_EVENTS - _LEFT_FOR_ENDS and change in (*_WITH_TERMS, EXPIRED):
        raise LedgerError("CONSENT_FULL", {**named, "maximum": MAXIMUM_EVENTS})


def _check_lapse(consent: Consent, change: str, recording: Recording) -> None:
    tolerance, named = recording.settings.time_tolerance_ms, {"consent_id": consent.consent_id}
    if change == RENEWED and shift(recording.recorded_at, tolerance) >= consent.not_after:
        raise LedgerError("CONSENT_LAPSED", named)
    if change == EXPIRED and shift(recording.recorded_at, -tolerance) < consent.not_after:
        raise LedgerError("CONSENT_NOT_LAPSED", named)


def _check_terms(consent: Consent, change: str, terms: ConsentTerms, settings: Settings) -> None:
    named = {"consent_id": consent.consent_id}
    widened = next(_widened(consent.terms, terms, settings, renewal=change == RENEWED), None)
    if widened is not None:
        raise LedgerError("CONSENT_WIDENED", {**named, "field": widened})
    if terms == consent.terms:
        raise LedgerError("CONSENT_UNCHANGED", named)


def _widened(old: ConsentTerms, new: ConsentTerms, settings: Settings, *, renewal: bool) -> Iterator[str]:
    """Fields in which new terms allow more than old ones; a renewal ends later, perhaps on a newer notice."""
    if new.controller != old.controller:
        yield "controller"
    if not all(covers(old.purposes, purpose) for purpose in new.purposes):
        yield "purposes"
    if not set(old.restrictions) <= set(new.restrictions):
        yield "restrictions"
    if not set(new.categories) <= set(old.categories):
        yield "categories"
    if not all(recipient_within(one, old.recipients, settings.kind_of(one)) for one in new.recipients):
        yield "recipients"
    if new.not_before < old.not_before:
        yield "not_before"
    if new.not_after <= old.not_after if renewal else new.not_after > old.not_after:
        yield "not_after"
    if not renewal and new.notice_digest != old.notice_digest:
        yield "notice_digest"
