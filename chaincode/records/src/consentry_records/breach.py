"""Personal data breaches: the register of GDPR Art. 33(5), with the 72 hours of Art. 33(1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .errors import LedgerError
from .instants import shift
from .kinds import ACTOR, DIGEST, INSTANT, MSP_ID, SLUG, Choice, Integer, Many, Nullable, identifier
from .record import Nested, Record, field_names

NATURES: Mapping[str, str] = MappingProxyType(
    {
        "confidentiality": "disclosed to, or accessed by, somebody who may not",
        "integrity": "altered",
        "availability": "lost or destroyed",
    }
)
"""What happened to the data (GDPR Art. 4(12))."""

RECORDED = "recorded"
ASSESSED = "assessed"
AUTHORITY_NOTIFIED = "authority-notified"
AUTHORITY_NOT_NOTIFIED = "authority-not-notified"
SUBJECTS_NOTIFIED = "subjects-notified"
SUBJECTS_NOT_NOTIFIED = "subjects-not-notified"
CLOSED = "closed"
STEPS: Mapping[str, str] = MappingProxyType(
    {
        ASSESSED: "likely consequences and measures assessed (Art. 33(3)(c), (d))",
        AUTHORITY_NOTIFIED: "supervisory authority notified (Art. 33(1))",
        AUTHORITY_NOT_NOTIFIED: "no notification: unlikely to result in a risk (Art. 33(1))",
        SUBJECTS_NOTIFIED: "data subjects told (Art. 34(1))",
        SUBJECTS_NOT_NOTIFIED: "data subjects not told: Art. 34(3) applies, or no high risk",
        CLOSED: "closed",
    }
)
"""Steps that can follow, and what each means."""

OPEN = "open"
HOURS_TO_NOTIFY = 72
MAXIMUM_EVENTS = 32
_AUTHORITY = (AUTHORITY_NOTIFIED, AUTHORITY_NOT_NOTIFIED)
_SUBJECTS = (SUBJECTS_NOTIFIED, SUBJECTS_NOT_NOTIFIED)
_MILLISECONDS_AN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBreach(Record):
    """A breach as the controller submits it (argument of `breaches:record`).

    `aware_at` is when it became aware of it: the 72 hours run from then. Counts are approximate (Art.
    33(3)(a)). `versions` are dataset versions that it concerns. `facts_digest` is that of the description of
    facts, effects and remedies, which stays off the ledger.
    """

    breach_id: Annotated[str, identifier("breach")]
    aware_at: Annotated[str, INSTANT]
    natures: Annotated[tuple[str, ...], Many(Choice(NATURES), 1, len(NATURES))]
    categories: Annotated[tuple[str, ...], Many(SLUG, 1, 32)]
    subject_count: Annotated[int, Integer(0, 10**9)]
    record_count: Annotated[int, Integer(0, 10**12)]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 0, 64)]
    facts_digest: Annotated[str | None, Nullable(DIGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachEvent(Record):
    """One step: what, when it happened as its controller says, when it was recorded, and by whom.

    `document_digest` is that of the notification, assessment or reasons for a delay, kept off the ledger.
    """

    event: Annotated[str, Choice((RECORDED, *STEPS))]
    happened_at: Annotated[str, INSTANT]
    recorded_at: Annotated[str, INSTANT]
    recorded_by: Annotated[str, ACTOR]
    document_digest: Annotated[str | None, Nullable(DIGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach(NewBreach):
    """A breach on the ledger, key `breach/{id}`, under its controller's key-level policy, events in order."""

    custodian: Annotated[str, MSP_ID]
    state: Annotated[str, Choice((OPEN, CLOSED))]
    events: Annotated[tuple[BreachEvent, ...], Many(Nested(BreachEvent), 1, MAXIMUM_EVENTS)]
    schema: Annotated[str, Choice(("consentry.breach/1",))] = "consentry.breach/1"

    @property
    def notify_before(self) -> str:
        """The end of the 72 hours."""
        return shift(self.aware_at, HOURS_TO_NOTIFY * _MILLISECONDS_AN_HOUR)

    def event(self, *names: str) -> BreachEvent | None:
        """The first event of one of some names, None where there is none."""
        return next((event for event in self.events if event.event in names), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachStep(Record):
    """Argument of `breaches:advance`; `revision` is the number of events that the caller has seen."""

    breach_id: Annotated[str, identifier("breach")]
    revision: Annotated[int, Integer(1, MAXIMUM_EVENTS)]
    step: Annotated[str, Choice(STEPS)]
    happened_at: Annotated[str, INSTANT]
    document_digest: Annotated[str | None, Nullable(DIGEST)]


def recorded(new: NewBreach, *, custodian: str, recorded_at: str, recorded_by: str) -> Breach:
    """The record of a breach just reported; raises LedgerError HAPPENED_TOO_LATE."""
    if new.aware_at > recorded_at:
        raise LedgerError("HAPPENED_TOO_LATE", {"recorded_at": recorded_at})
    event = BreachEvent(
        event=RECORDED,
        happened_at=new.aware_at,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
        document_digest=new.facts_digest,
    )
    return Breach(
        **{name: getattr(new, name) for name in field_names(NewBreach)},
        custodian=custodian,
        state=OPEN,
        events=(event,),
    )


def next_steps(breach: Breach) -> tuple[str, ...]:
    """What can follow on a breach as it stands.

    Each of the decisions on authority and subjects is taken once; closing needs both. Nothing that is closed
    goes on.
    """
    if breach.state == CLOSED:
        return ()
    undecided = [group for group in (_AUTHORITY, _SUBJECTS) if breach.event(*group) is None]
    decisions = [step for group in undecided for step in group]
    return (ASSESSED, *decisions, *(() if undecided else (CLOSED,)))


def check_step(breach: Breach, step: BreachStep, recorded_at: str) -> None:
    """Refuse a step that does not follow from the breach as it stands.

    Raises LedgerError BREACH_REVISION_DIFFERS, BREACH_STEP_INVALID or HAPPENED_TOO_LATE.
    """
    named = {"breach_id": breach.breach_id}
    if step.revision != len(breach.events):
        raise LedgerError("BREACH_REVISION_DIFFERS", {**named, "revision": len(breach.events)})
    if step.happened_at > recorded_at:
        raise LedgerError("HAPPENED_TOO_LATE", {"recorded_at": recorded_at})
    if step.step not in next_steps(breach) or step.happened_at < breach.aware_at:
        raise LedgerError("BREACH_STEP_INVALID", {**named, "state": breach.state, "step": step.step})
