"""Emergency access (break-glass): permitted without a grant, and reviewed afterwards without fail."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .kinds import ACTOR, DIGEST, INSTANT, MSP_ID, Choice, Many, Nullable, identifier
from .record import Record

PERMIT_MILLISECONDS = 8 * 3600 * 1000
REVIEW_MILLISECONDS = 72 * 3600 * 1000
OPEN = "open"
JUSTIFIED = "justified"
UNJUSTIFIED = "unjustified"

EMERGENCY_REASONS = MappingProxyType(
    {
        "LIFE_THREATENING": "the patient's life is in danger",
        "PATIENT_UNRESPONSIVE": "the patient cannot be asked",
        "SYSTEM_OUTAGE": "the ordinary way to the data is out of order",
    }
)
"""Why the glass was broken."""

EMERGENCY_FINDINGS = MappingProxyType(
    {
        "EMERGENCY_CONFIRMED": "there was an emergency and the data were needed",
        "NO_EMERGENCY": "there was no emergency",
        "DATA_NOT_NEEDED": "the data were not needed",
        "ORDINARY_WAY_OPEN": "access could have been had in the ordinary way",
    }
)
"""What a review of an emergency access found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyAccess(Record):
    """A permitted emergency access and its review, key `emergency/{attempt}`; written with the decision.

    Open until the custodian's data protection officer or ethics reviewer has reviewed it; overdue from
    `review_due` (72 hours after the permit) on.
    """

    attempt_id: Annotated[str, identifier("attempt")]
    custodian: Annotated[str, MSP_ID]
    requester_msp: Annotated[str, MSP_ID]
    requester: Annotated[str, ACTOR]
    reason: Annotated[str, Choice(EMERGENCY_REASONS)]
    permitted_at: Annotated[str, INSTANT]
    review_due: Annotated[str, INSTANT]
    state: Annotated[str, Choice((OPEN, JUSTIFIED, UNJUSTIFIED))] = OPEN
    findings: Annotated[tuple[str, ...], Many(Choice(EMERGENCY_FINDINGS), 0, len(EMERGENCY_FINDINGS))] = ()
    rationale_digest: Annotated[str | None, Nullable(DIGEST)] = None
    reviewed_by: Annotated[str | None, Nullable(ACTOR)] = None
    reviewed_at: Annotated[str | None, Nullable(INSTANT)] = None
    schema: Annotated[str, Choice(("consentry.emergency/1",))] = "consentry.emergency/1"

    def is_overdue(self, at: str) -> bool:
        """Whether the review is still open at an instant at which it should have been made."""
        return self.state == OPEN and at >= self.review_due


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyReview(Record):
    """Argument of `emergencies:review`: what the review of an emergency access found.

    `rationale_digest` is `sha256:` of a rationale that the custodian keeps, salted as that of a review.
    """

    attempt_id: Annotated[str, identifier("attempt")]
    state: Annotated[str, Choice((JUSTIFIED, UNJUSTIFIED))]
    findings: Annotated[tuple[str, ...], Many(Choice(EMERGENCY_FINDINGS), 1, len(EMERGENCY_FINDINGS))]
    rationale_digest: Annotated[str | None, Nullable(DIGEST)]
