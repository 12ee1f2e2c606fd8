"""Earlier forms of consents and of the lists of a subject's consents, and what they are in the next form.

A form is kept here for as long as ledgers hold records of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from .errors import FieldError
from .kinds import COMMITMENT, DIGEST, INSTANT, MSP_ID, SLUG, Choice, Many, Nullable, identifier
from .record import Record, field_names
from .vocabulary import ANY_MEMBER

SCATTERED = "scattered"
"""How the ids of a batch's consents followed in the first release."""

_PURPOSES = ("TREAT", "HPAYMT", "HOPERAT", "DUO:0000042", "DUO:0000006", "DUO:0000007")


@dataclass(frozen=True, slots=True)
class _Recipient1:
    """An MSP id, or ANY_MEMBER."""

    def read(self, value: object) -> str:
        return ANY_MEMBER if value == ANY_MEMBER else MSP_ID.read(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent1(Record):
    """`consentry.consent/1`: no events, and no word of who recorded it."""

    consent_id: Annotated[str, identifier("consent")]
    subject: Annotated[str, COMMITMENT]
    controller: Annotated[str, MSP_ID]
    purposes: Annotated[tuple[str, ...], Many(Choice(_PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(("DUO:0000046",)), 0, 16)]
    categories: Annotated[tuple[str, ...], Many(SLUG, 1, 32)]
    recipients: Annotated[tuple[str, ...], Many(_Recipient1(), 1, 64)]
    not_before: Annotated[str, INSTANT]
    not_after: Annotated[str, INSTANT]
    notice_digest: Annotated[str, DIGEST]
    custodian: Annotated[str, MSP_ID]
    state: Annotated[str, Choice(("given", "withdrawn"))]
    recorded_at: Annotated[str, INSTANT]
    withdrawn_at: Annotated[str | None, Nullable(INSTANT)]
    schema: Annotated[str, Choice(("consentry.consent/1",))] = "consentry.consent/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectConsents1(Record):
    """`consentry.subject/1`: consents only, nothing that limits their use."""

    subject: Annotated[str, COMMITMENT]
    custodian: Annotated[str, MSP_ID]
    consents: Annotated[tuple[str, ...], Many(identifier("consent"), 1, 64)]
    schema: Annotated[str, Choice(("consentry.subject/1",))] = "consentry.subject/1"


_DROPPED = ("recorded_at", "withdrawn_at", "schema")


def consent_from_version_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """`consentry.consent/1` as `consentry.consent/2`: its times become events that nobody is named for."""
    earlier = Consent1.from_dict(body)
    events = [_event("given", earlier.recorded_at)]
    if earlier.withdrawn_at is not None:
        events.append(_event("withdrawn", earlier.withdrawn_at))
    kept = {name: getattr(earlier, name) for name in field_names(Consent1) if name not in _DROPPED}
    return {**kept, "events": events, "schema": "consentry.consent/2"}


def subject_from_version_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """`consentry.subject/1` as `consentry.subject/2`: no limits."""
    return {**SubjectConsents1.from_dict(body).to_dict(), "limits": [], "schema": "consentry.subject/2"}


def batch_from_version_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """An import's batch without `schema` as `consentry.consent-batch/2`: its consents keep their ids.

    Raises FieldError FIELD_MISSING for the later form without its name.
    """
    if "consent_ids" in body:
        raise FieldError("FIELD_MISSING", {"record": "ConsentBatch", "field": "schema"})
    return {**body, "consent_ids": SCATTERED, "schema": "consentry.consent-batch/2"}


def _event(event: str, recorded_at: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("recorded_by", "claimed_at", "batch_id", "replaced"))
    return {"event": event, "recorded_at": recorded_at, **unknown}
