"""Evidence that one subject consented, and of what became of it (GDPR Art. 7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from consentry.index import RecordRow, Trail
from consentry.index.checkpoint import IndexFault
from consentry.index.rows import find_changes, find_records
from consentry.reports.claimed_times import claimed_by_custodian
from consentry.reports.figures import time_line
from consentry.reports.limits import limits_over_time
from consentry.reports.report import Report, make_table
from consentry.reports.sources import completeness_of
from consentry.reports.values import Reported, ReportField, Unavailable, Value
from consentry.reports.wording import NOBODY_KNOWS_WHO, counted, forged, purpose_words, recipient_words
from consentry_records.consent import Consent, ConsentEvent, ConsentTerms
from consentry_records.vocabulary import RESTRICTIONS

KIND = "gdpr-7"
_IN_COLLECTION = "in the custodian's own collection, under the batch named: the custodian gives it"


@dataclass(frozen=True)
class EventRow:
    """One event in a consent's life."""

    consent: Annotated[Value, Reported("Consent", "GDPR Art. 7(1)")]
    event: Annotated[Value, Reported("What happened", "GDPR Art. 7(1), (3)")]
    when: Annotated[Value, Reported("When", "GDPR Art. 7(1)")]
    by: Annotated[Value, Reported("Recorded by", "GDPR Art. 5(2)")]
    terms: Annotated[Value, Reported("What was then allowed", "GDPR Art. 7(1), 4(11)")]
    notice: Annotated[Value, Reported("Notice shown (digest)", "GDPR Art. 7(1), (2), 13")]
    evidence: Annotated[Value, Reported("How, and evidence", "GDPR Art. 7(1)")]


def consent_evidence(trail: Trail, subject: str, *, generated_at: str) -> Report:
    """Evidence of one subject's consents, every event of each.

    Args:
        trail: the index.
        subject: the subject's commitment.
        generated_at: instant at which the report is made.

    Raises:
        IndexFault: INDEX_EMPTY, SUBJECT_NOT_INDEXED.
    """
    completeness = completeness_of(trail)
    with trail.snapshot() as connection:
        rows = [row for row in find_records(connection, "consent", subject=subject) if row.body]
        writes = {row.record_id: len(find_changes(connection, "consent", row.record_id)) for row in rows}
        limits = limits_over_time(connection, subject)
    if not rows:
        raise IndexFault(
            "SUBJECT_NOT_INDEXED", "The index has no consent of this subject; check the commitment."
        )
    consents = {row.record_id: Consent.from_dict(row.body) for row in rows}
    happened: dict[str, list[str]] = {}
    for consent in consents.values():
        for event in consent.events:
            happened.setdefault(event.event, []).append(event.recorded_at)
    drawn = time_line("events", "Consents over time", happened)
    return Report(
        kind=KIND,
        title="Evidence of consent",
        law="Evidence under Article 7 of the General Data Protection Regulation (EU) 2016/679, "
        "made from the ledger.",
        facts=(("Custodian", rows[0].owner), ("Subject", subject)),
        generated_at=generated_at,
        completeness=completeness,
        basis="All consents under the subject's commitment, with every event that the ledger has of each, "
        "and all limits on the use of the subject's data.",
        statements="What Article 7 asks for",
        fields=_fields(rows, writes),
        tables=(
            make_table(
                "events",
                "Events, consent by consent",
                "There is none.",
                EventRow,
                (event for row in rows for event in _events(row, consents[row.record_id])),
            ),
            limits.table("Limits beside them, which go before any consent"),
        ),
        figures=(drawn,) if drawn is not None else (),
    )


def _fields(rows: list[RecordRow], writes: dict[str, int]) -> tuple[ReportField, ...]:
    standing = [
        f"{row.record_id}: {row.state}, written {counted(writes[row.record_id], 'time', 'times')}"
        for row in rows
    ]
    return (
        ReportField("consents", "Consents, as they stand", "GDPR Art. 7(1)", tuple(standing)),
        ReportField(
            "withdrawal",
            "Withdrawal",
            "GDPR Art. 7(3)",
            "One transaction, as giving is; it counts for every decision that commits after it.",
        ),
        ReportField(
            "identity",
            "Who the subject is",
            "GDPR Art. 7(1)",
            Unavailable("the ledger has a commitment only; the custodian knows whose it is"),
        ),
        ReportField("signed_form", "The signed form", "GDPR Art. 7(1), (2)", Unavailable(_IN_COLLECTION)),
        ReportField(
            "freely_given",
            "That it was freely given",
            "GDPR Art. 7(4)",
            Unavailable("no ledger can record that; the controller shows it"),
        ),
    )


def _events(row: RecordRow, consent: Consent) -> Iterator[EventRow]:
    for index, event in enumerate(consent.events):
        terms = _terms_after(consent, index)
        yield EventRow(
            consent=(row.record_id, *forged(row)),
            event=event.event,
            when=_when(event),
            by=(event.recorded_by, str(NOBODY_KNOWS_WHO))
            if event.recorded_by
            else Unavailable("an earlier release recorded it without naming who did"),
            terms=_allowed(terms),
            notice=terms.notice_digest,
            evidence=(f"batch {event.batch_id}", str(Unavailable(_IN_COLLECTION)))
            if event.batch_id
            else Unavailable("the event names no entry in the custodian's collection"),
        )


def _terms_after(consent: Consent, index: int) -> ConsentTerms:
    """The terms in force after an event: those that the next event which replaced terms replaced."""
    for event in consent.events[index + 1 :]:
        if event.replaced is not None:
            return event.replaced
    return consent.terms


def _when(event: ConsentEvent) -> Value:
    claimed = claimed_by_custodian(event)
    return (f"recorded {event.recorded_at}", *claimed) if claimed else f"recorded {event.recorded_at}"


def _allowed(terms: ConsentTerms) -> Value:
    restrictions = ", ".join(RESTRICTIONS[code] for code in terms.restrictions) or "none"
    return (
        *(purpose_words(code) for code in terms.purposes),
        f"restrictions: {restrictions}",
        f"categories: {', '.join(terms.categories)}",
        f"recipients: {', '.join(map(recipient_words, terms.recipients))}",
        f"from {terms.not_before} until {terms.not_after}",
    )
