"""The register of personal data breaches of one organization (GDPR Art. 33(5), with 33(3) and 34)."""

from dataclasses import dataclass
from typing import Annotated

from consentry.index import RecordRow, Trail
from consentry.reports.details import Details
from consentry.reports.report import Report, make_table
from consentry.reports.sources import completeness_of
from consentry.reports.values import Reported, ReportField, Unavailable, Value
from consentry.reports.wording import counted, forged
from consentry_records.breach import (
    ASSESSED,
    AUTHORITY_NOT_NOTIFIED,
    AUTHORITY_NOTIFIED,
    NATURES,
    RECORDED,
    STEPS,
    SUBJECTS_NOT_NOTIFIED,
    SUBJECTS_NOTIFIED,
    Breach,
)

KIND = "gdpr-33"
_EVENTS = {RECORDED: "organization aware", **STEPS}
"""What happened, by the event that tells it: a breach is put on record with when it became known."""


@dataclass(frozen=True)
class BreachRow:
    """One breach."""

    breach: Annotated[Value, Reported("Breach", "GDPR Art. 33(5)")]
    nature: Annotated[Value, Reported("Nature", "GDPR Art. 33(3)(a)")]
    extent: Annotated[Value, Reported("Persons, records, categories", "GDPR Art. 33(3)(a)")]
    facts: Annotated[Value, Reported("Facts, effects, remedies", "GDPR Art. 33(3)(c), (d), (5)")]
    aware: Annotated[Value, Reported("Aware since, notify before", "GDPR Art. 33(1)")]
    authority: Annotated[Value, Reported("Authority", "GDPR Art. 33(1)")]
    subjects: Annotated[Value, Reported("Data subjects", "GDPR Art. 34")]
    events: Annotated[Value, Reported("All events", "GDPR Art. 5(2)")]


def breach_register(
    trail: Trail, organization: str, *, generated_at: str, details: Details | None = None
) -> Report:
    """The breaches that an organization recorded, each with its 72-hour clock.

    Args:
        trail: the index.
        organization: MSP id.
        generated_at: instant at which the report is made; what is not notified is late if it lies after the
            72 hours.
        details: what the organization itself states.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    completeness = completeness_of(trail)
    rows = [row for row in trail.records("breach", owner=organization) if row.body]
    breaches = [Breach.from_dict(row.body) for row in rows]
    late = sum(_lateness(breach, generated_at) is not None for breach in breaches)
    stated = details or Details()
    return Report(
        kind=KIND,
        title=f"Register of personal data breaches: {organization}",
        law="Documentation under Article 33(5) of the General Data Protection Regulation (EU) 2016/679, "
        "made from the ledger.",
        facts=(("Organization", organization),),
        generated_at=generated_at,
        completeness=completeness,
        basis="All breaches that the organization recorded on the ledger.",
        statements="What Article 33 asks for beside the breaches",
        fields=(
            ReportField("count", "Breaches on record", "GDPR Art. 33(5)", str(len(breaches))),
            ReportField("late", "Not notified within 72 hours", "GDPR Art. 33(1)", str(late)),
            stated.field(
                "dpo_contact",
                "Data protection officer",
                "GDPR Art. 33(3)(b)",
                "the ledger does not record it; ask the controller",
            ),
        ),
        tables=(
            make_table(
                "breaches",
                "Breaches",
                "The organization recorded no breach.",
                BreachRow,
                (_row(row, breach, generated_at) for row, breach in zip(rows, breaches, strict=True)),
            ),
        ),
        note="Times are UTC. Events happened when the organization says; their recording is the ledger's.",
    )


def _row(row: RecordRow, breach: Breach, at: str) -> BreachRow:
    return BreachRow(
        breach=(breach.breach_id, breach.state, *forged(row)),
        nature=tuple(f"{nature}: {NATURES[nature]}" for nature in breach.natures),
        extent=(
            f"about {counted(breach.subject_count, 'person', 'persons')}",
            f"about {counted(breach.record_count, 'record', 'records')}",
            *breach.categories,
            *breach.versions,
        ),
        facts=_facts(breach),
        aware=(f"aware {breach.aware_at}", f"72 hours end {breach.notify_before}"),
        authority=_authority(breach, at),
        subjects=_decided(breach, SUBJECTS_NOTIFIED, SUBJECTS_NOT_NOTIFIED) or "not decided yet",
        events=tuple(
            f"{_EVENTS[event.event]}, {event.happened_at}; recorded {event.recorded_at}"
            for event in breach.events
        ),
    )


def _facts(breach: Breach) -> Value:
    assessed = breach.event(ASSESSED)
    digests = [breach.facts_digest, assessed.document_digest if assessed is not None else None]
    found = tuple(f"document {digest}" for digest in digests if digest is not None)
    return found or Unavailable("the breach names no document; the controller keeps it")


def _authority(breach: Breach, at: str) -> Value:
    decided = _decided(breach, AUTHORITY_NOTIFIED, AUTHORITY_NOT_NOTIFIED)
    late = _lateness(breach, at)
    return tuple(text for text in (decided or "not notified yet", late) if text)


def _decided(breach: Breach, *names: str) -> str | None:
    event = breach.event(*names)
    return None if event is None else f"{STEPS[event.event]}, {event.happened_at}"


def _lateness(breach: Breach, at: str) -> str | None:
    """Why the 72 hours were not kept, None where they were, or where they still run."""
    if breach.event(AUTHORITY_NOT_NOTIFIED) is not None:
        return None
    notified = breach.event(AUTHORITY_NOTIFIED)
    if (notified.happened_at if notified is not None else at) <= breach.notify_before:
        return None
    if notified is not None and notified.document_digest is not None:
        return f"late; the reasons for the delay are in document {notified.document_digest}"
    return "late; no reasons for the delay are on record"
