"""Requests for erasure and other rights of data subjects: what was asked, when it is due, what was done."""

from dataclasses import dataclass
from typing import Annotated

from consentry.index import RecordRow, Trail
from consentry.reports.report import Report, make_table
from consentry.reports.sources import completeness_of
from consentry.reports.values import Reported, ReportField, Unavailable, Value
from consentry.reports.wording import counted, forged
from consentry_records.rights_request import ACCEPTED, GROUNDS, METHODS, RIGHTS, STORES, RightsRequest
from consentry_records.subject import ERASURE

KIND = "gdpr-17"


@dataclass(frozen=True)
class RequestRow:
    """One request of a data subject."""

    request: Annotated[Value, Reported("Request", "GDPR Art. 12(3)")]
    right: Annotated[Value, Reported("Right", "GDPR Art. 15 to 21")]
    subject: Annotated[Value, Reported("Subject (commitment)", "GDPR Art. 4(5)")]
    received: Annotated[Value, Reported("Received, due", "GDPR Art. 12(3)")]
    decision: Annotated[Value, Reported("Decision and ground", "GDPR Art. 12(4), 17(3)")]
    done: Annotated[Value, Reported("What was erased", "GDPR Art. 17(1)")]
    attested: Annotated[Value, Reported("Attested, store by store", "GDPR Art. 5(2), 17(1)")]
    recipients: Annotated[Value, Reported("Recipients told", "GDPR Art. 19")]
    events: Annotated[Value, Reported("All events", "GDPR Art. 5(2)")]


def rights_register(trail: Trail, organization: str, *, generated_at: str) -> Report:
    """The requests of data subjects that an organization recorded, with what was done about each.

    Args:
        trail: the index.
        organization: MSP id of the custodian.
        generated_at: instant at which the report is made; what is open is overdue if it lies after the due
            date.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    completeness = completeness_of(trail)
    rows = [row for row in trail.records("rights", owner=organization) if row.body]
    requests = [RightsRequest.from_dict(row.body) for row in rows]
    overdue = sum(request.is_open and request.due_at < generated_at for request in requests)
    erasures = [request for request in requests if request.right == ERASURE]
    fulfilled = sum(request.state == "fulfilled" for request in erasures)
    return Report(
        kind=KIND,
        title=f"Requests of data subjects: {organization}",
        law="Requests under Articles 15 to 21 of the General Data Protection Regulation (EU) 2016/679, "
        "erasure (Art. 17) among them, made from the ledger.",
        facts=(("Custodian", organization),),
        generated_at=generated_at,
        completeness=completeness,
        basis="All requests that the custodian recorded on the ledger.",
        statements="In numbers",
        fields=(
            ReportField("count", "Requests on record", "GDPR Art. 12(3)", str(len(requests))),
            ReportField("overdue", "Open beyond their due date", "GDPR Art. 12(3)", str(overdue)),
            ReportField(
                "erasures", "Erasures fulfilled", "GDPR Art. 17", f"{fulfilled} of {len(erasures)} asked for"
            ),
            ReportField(
                "identity",
                "How identities were checked",
                "GDPR Art. 12(6)",
                Unavailable("what was received stays with the custodian; the ledger has its keyed digest"),
            ),
        ),
        tables=(
            make_table(
                "requests",
                "Requests",
                "No request is on the ledger.",
                RequestRow,
                (_row(row, request, generated_at) for row, request in zip(rows, requests, strict=True)),
            ),
        ),
        note="Times are UTC. An erasure reaches backups and database files by destroying the subject's key.",
    )


def _row(row: RecordRow, request: RightsRequest, at: str) -> RequestRow:
    late = ("overdue",) if request.is_open and request.due_at < at else ()
    purged = (
        counted(request.purged, "private entry", "private entries")
        + " purged, and the subject's key destroyed"
    )
    return RequestRow(
        request=(request.rights_request_id, request.state, *forged(row)),
        right=(request.right, RIGHTS[request.right]),
        subject=request.subject,
        received=(f"received {request.received_at}", f"due {request.due_at}", *late),
        decision=_decision(request),
        done=purged if request.right == ERASURE and request.state == "fulfilled" else "nothing erased",
        attested=_attested(request),
        recipients=tuple(f"{notice.recipient} on {notice.notified_at}" for notice in request.notices)
        or "none on record",
        events=tuple(f"{event.event} {event.recorded_at} by {event.recorded_by}" for event in request.events),
    )


def _decision(request: RightsRequest) -> Value:
    grounds = [
        f"{event.event}: {GROUNDS[event.ground]} ({event.ground})" for event in request.events if event.ground
    ]
    is_decided = not request.is_open or request.state == ACCEPTED
    return (request.state if is_decided else "not decided yet", *grounds)


def _attested(request: RightsRequest) -> Value:
    if request.right != ERASURE:
        return "nothing to attest: not an erasure"
    return tuple(
        f"{STORES[entry.store]}: {METHODS[entry.method]}" for entry in request.stores
    ) or Unavailable("no store was attested for: only a fulfilled erasure is")
