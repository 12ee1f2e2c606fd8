"""Accounting of disclosures of one individual's information (HIPAA, 45 CFR 164.528)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from consentry.index import Access, RowManifest, Trail
from consentry.reports.details import Details
from consentry.reports.report import Report, make_table
from consentry.reports.sources import completeness_of
from consentry.reports.subject_data import SubjectData, collect
from consentry.reports.values import Reported, ReportField, Unavailable, Value
from consentry.reports.wording import NOBODY_KNOWS_WHO, counted, on_record, purpose_of, which_data
from consentry_records.vocabulary import OPERATIONS, PAYMENT, TREATMENT

KIND = "hipaa-164-528"
_EXCEPTED = (TREATMENT, PAYMENT, OPERATIONS)
_YEARS = 6


@dataclass(frozen=True)
class DisclosureRow:
    """Disclosures to one recipient for one purpose: the first in full, the rest by number and last date."""

    date: Annotated[Value, Reported("Date", "45 CFR 164.528(b)(2)(i)")]
    recipient: Annotated[Value, Reported("Recipient", "45 CFR 164.528(b)(2)(ii)")]
    description: Annotated[Value, Reported("What was disclosed", "45 CFR 164.528(b)(2)(iii)")]
    purpose: Annotated[Value, Reported("Purpose", "45 CFR 164.528(b)(2)(iv)")]
    repeated: Annotated[Value, Reported("Further disclosures", "45 CFR 164.528(b)(3)")]
    record: Annotated[Value, Reported("On record", "45 CFR 164.528(d)")]


def disclosures_report(
    trail: Trail,
    subject: str,
    *,
    generated_at: str,
    manifest: RowManifest | None = None,
    details: Details | None = None,
) -> Report:
    """Account for the disclosures of one subject's data in the six years before the report.

    A disclosure is a permitted access by another organization than the custodian. Uses for treatment, payment
    and health care operations are left out, as § 164.528(a)(1)(i) says.

    Args:
        trail: the index.
        subject: the subject's commitment.
        generated_at: instant at which the report is made.
        manifest: the custodian's row manifests, which name the dataset versions that hold the subject's rows.
        details: what the custodian itself states.

    Raises:
        IndexFault: INDEX_EMPTY, SUBJECT_NOT_INDEXED.
    """
    completeness = completeness_of(trail)
    with trail.snapshot() as connection:
        data = collect(connection, subject, manifest)
    since = f"{int(generated_at[:4]) - _YEARS}{generated_at[4:]}"
    disclosed = [access for access in data.accesses if _is_disclosure(access, data.custodian, since)]
    return Report(
        kind=KIND,
        title="Accounting of disclosures",
        law="Accounting under 45 CFR 164.528 (HIPAA Privacy Rule), made from the ledger.",
        facts=(("Covered entity", data.custodian), ("Individual", subject), ("Period", f"since {since}")),
        generated_at=generated_at,
        completeness=completeness,
        basis=data.basis,
        statements="What § 164.528 asks for beside the disclosures",
        fields=_fields(data, disclosed, details or Details()),
        tables=(
            make_table(
                "disclosures",
                "Disclosures",
                "Nothing was disclosed to others in this period.",
                DisclosureRow,
                _rows(disclosed),
            ),
        ),
        remarks=data.remarks,
    )


def _is_disclosure(access: Access, custodian: str, since: str) -> bool:
    return (
        access.outcome == "permit"
        and access.requester_msp != custodian
        and access.purpose not in _EXCEPTED
        and access.decided_at >= since
    )


def _fields(data: SubjectData, disclosed: Iterable[Access], details: Details) -> tuple[ReportField, ...]:
    left_out = [access for access in data.accesses if access.purpose in _EXCEPTED]
    return (
        ReportField("count", "Disclosures in this period", "45 CFR 164.528(a)(1)", str(len(list(disclosed)))),
        ReportField(
            "excepted",
            "Left out: treatment, payment, operations",
            "45 CFR 164.528(a)(1)(i)",
            counted(len(left_out), "attempt", "attempts"),
        ),
        details.field(
            "recipient_contacts",
            "Names and addresses of recipients",
            "45 CFR 164.528(b)(2)(ii)",
            "the ledger knows organizations by their MSP ids only; ask the custodian",
        ),
        ReportField(
            "suspended",
            "Suspended for an oversight agency or law enforcement",
            "45 CFR 164.528(a)(2)",
            Unavailable("the ledger does not record suspensions of this right"),
        ),
        ReportField(
            "research_protocols",
            "Research involving 50 or more individuals",
            "45 CFR 164.528(b)(4)",
            "each disclosure is listed by itself instead",
        ),
    )


def _rows(disclosed: Iterable[Access]) -> Iterable[DisclosureRow]:
    groups: dict[tuple[str, str, bool, str], list[Access]] = {}
    for access in disclosed:
        key = (access.requester_msp, access.purpose, access.commercial, access.dataset)
        groups.setdefault(key, []).append(access)
    for first, *others in groups.values():
        last = others[-1].decided_at if others else ""
        yield DisclosureRow(
            date=first.decided_at,
            recipient=(first.requester_msp, first.requester, str(NOBODY_KNOWS_WHO)),
            description=which_data(first),
            purpose=purpose_of(first),
            repeated=(f"{len(others)} more", f"the last on {last}") if others else "none",
            record=on_record(first),
        )
