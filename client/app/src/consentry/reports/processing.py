"""Records of processing activities of one organization (GDPR Art. 30)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from consentry.index import AccessFilter, RecordRow, Trail
from consentry.index.accesses import AccessCount, count_accesses
from consentry.index.rows import find_records
from consentry.reports.details import Details
from consentry.reports.figures import time_line_of_days
from consentry.reports.members import Member, members_of
from consentry.reports.report import Report, make_table
from consentry.reports.sources import completeness_of, days_by_outcome
from consentry.reports.transfers import safeguards_of, third_country_recipients
from consentry.reports.values import Reported, ReportField, Value
from consentry.reports.wording import NOT_ON_LEDGER, coded, forged, legal_basis_words, purpose_words, texts
from consentry_records.vocabulary import DUO_TERMS

KIND = "gdpr-30"


@dataclass(frozen=True)
class ActivityRow:
    """One dataset that the organization holds, and what is done with it."""

    dataset: Annotated[Value, Reported("Processing activity (dataset)", "GDPR Art. 30(1)")]
    purposes: Annotated[Value, Reported("Purposes", "GDPR Art. 30(1)(b)")]
    categories: Annotated[Value, Reported("Categories of data", "GDPR Art. 30(1)(c)")]
    recipients: Annotated[Value, Reported("Categories of recipients", "GDPR Art. 30(1)(d)")]
    legal_bases: Annotated[Value, Reported("Legal bases", "GDPR Art. 6, 9")]
    terms: Annotated[Value, Reported("Terms of use", "GDPR Art. 30(1)(b)")]
    versions: Annotated[Value, Reported("Versions", "GDPR Art. 5(2)")]


@dataclass(frozen=True)
class ProcessorRow:
    """What the organization does with another one's data."""

    controller: Annotated[Value, Reported("On behalf of, or received from", "GDPR Art. 30(2)(a)")]
    categories: Annotated[Value, Reported("Categories of processing", "GDPR Art. 30(2)(b)")]
    grants: Annotated[Value, Reported("Under grants", "GDPR Art. 28(3)")]
    uses: Annotated[Value, Reported("Permitted accesses", "GDPR Art. 5(2)")]


@dataclass(frozen=True)
class _Holdings:
    versions: list[RecordRow]
    granted: list[RecordRow]
    received: list[RecordRow]
    asked_of: list[AccessCount]
    permitted: dict[str, int]
    members: Mapping[str, Member]


def processing_report(
    trail: Trail, organization: str, *, generated_at: str, details: Details | None = None
) -> Report:
    """An organization's records of processing activities, as far as the ledger has them.

    Args:
        trail: the index.
        organization: MSP id.
        generated_at: instant at which the report is made.
        details: what the organization itself states.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    completeness = completeness_of(trail)
    with trail.snapshot() as connection:
        found = _collect(connection, organization)
    drawn = time_line_of_days("accesses", "Attempts to access its data", days_by_outcome(found.asked_of))
    return Report(
        kind=KIND,
        title=f"Records of processing activities: {organization}",
        law="Records under Article 30 of the General Data Protection Regulation (EU) 2016/679, "
        "made from the ledger.",
        facts=(("Organization", organization),),
        generated_at=generated_at,
        completeness=completeness,
        basis="Activities are the datasets that the organization registered, with the grants on them; "
        "what it received are the grants that others gave it.",
        statements="What Article 30 asks for",
        fields=_fields(organization, found, details or Details()),
        tables=(
            make_table(
                "activities",
                "Processing activities",
                "The organization registered no dataset.",
                ActivityRow,
                _activities(found),
            ),
            make_table(
                "received",
                "Processing of other organizations' data",
                "Nobody granted the organization access to data.",
                ProcessorRow,
                _received(found),
            ),
        ),
        figures=(drawn,) if drawn is not None else (),
    )


def _collect(connection: Connection, organization: str) -> _Holdings:
    grants = [row for row in find_records(connection, "grant") if row.body]
    permitted: dict[str, int] = {}
    for entry in count_accesses(connection, AccessFilter(requester_msp=organization, outcome="permit")):
        permitted[entry.custodian] = permitted.get(entry.custodian, 0) + entry.count
    return _Holdings(
        versions=find_records(connection, "version", owner=organization),
        granted=[row for row in grants if row.owner == organization],
        received=[row for row in grants if row.body["grantee"] == organization],
        asked_of=count_accesses(connection, AccessFilter(custodian=organization)),
        permitted=permitted,
        members=members_of(connection),
    )


def _fields(organization: str, found: _Holdings, details: Details) -> tuple[ReportField, ...]:
    purposes = (code for row in found.granted for code in row.body["purposes"])
    transfers = details.field_or(
        "third_countries",
        "Transfers to third countries",
        "GDPR Art. 30(1)(e)",
        third_country_recipients((str(row.body["grantee"]) for row in found.granted), found.members),
    )
    return (
        ReportField("controller", "Controller", "GDPR Art. 30(1)(a)", organization),
        details.field(
            "controller_contact", "Controller's name and contact", "GDPR Art. 30(1)(a)", NOT_ON_LEDGER
        ),
        details.field("joint_controllers", "Joint controllers", "GDPR Art. 30(1)(a)", NOT_ON_LEDGER),
        details.field("representative", "Representative", "GDPR Art. 30(1)(a)", NOT_ON_LEDGER),
        details.field("dpo_contact", "Data protection officer", "GDPR Art. 30(1)(a)", NOT_ON_LEDGER),
        ReportField(
            "purposes",
            "Purposes",
            "GDPR Art. 30(1)(b)",
            texts(map(purpose_words, purposes), "no grant on the organization's data is on the ledger"),
        ),
        details.field(
            "subject_categories",
            "Categories of data subjects",
            "GDPR Art. 30(1)(c)",
            "the ledger knows subjects as commitments only",
        ),
        ReportField(
            "categories",
            "Categories of data",
            "GDPR Art. 30(1)(c)",
            texts(_all(found.versions, "categories"), "no dataset is on the ledger"),
        ),
        ReportField(
            "recipients",
            "Recipients",
            "GDPR Art. 30(1)(d)",
            texts((str(row.body["grantee"]) for row in found.granted), "no grant is on the ledger"),
        ),
        transfers,
        details.field_or(
            "safeguards",
            "Safeguards for transfers",
            "GDPR Art. 30(1)(e)",
            safeguards_of(transfers.value, NOT_ON_LEDGER),
        ),
        details.field("retention", "Time limits for erasure", "GDPR Art. 30(1)(f)", NOT_ON_LEDGER),
        details.field("security_measures", "Security measures", "GDPR Art. 30(1)(g), 32(1)", NOT_ON_LEDGER),
    )


def _activities(found: _Holdings) -> Iterable[ActivityRow]:
    by_dataset: dict[str, list[RecordRow]] = {}
    for version in found.versions:
        if version.body:
            by_dataset.setdefault(str(version.body["dataset_id"]), []).append(version)
    for dataset_id, versions in by_dataset.items():
        ids = {version.record_id for version in versions}
        grants = [row for row in found.granted if ids & set(row.body["versions"])]
        yield ActivityRow(
            dataset=(str(versions[0].body["name"]), dataset_id, *forged(versions[0])),
            purposes=texts(map(purpose_words, _all(grants, "purposes")), "no grant on it is on the ledger"),
            categories=texts(_all(versions, "categories"), "no version names a category"),
            recipients=tuple(sorted({str(row.body["grantee"]) for row in grants}))
            or "none: nobody was granted it",
            legal_bases=texts(map(legal_basis_words, _all(versions, "legal_bases")), "no version names one"),
            terms=coded(sorted(set(_all(versions, "duo_terms"))), DUO_TERMS),
            versions=(f"{len(versions)} registered", f"first {versions[0].body['registered_at']}"),
        )


def _received(found: _Holdings) -> Iterable[ProcessorRow]:
    by_owner: dict[str, list[RecordRow]] = {}
    for grant in found.received:
        by_owner.setdefault(grant.owner, []).append(grant)
    for owner, grants in sorted(by_owner.items()):
        yield ProcessorRow(
            controller=owner,
            categories=texts(map(purpose_words, _all(grants, "purposes")), "no grant names a purpose"),
            grants=tuple(f"{grant.record_id} ({grant.state})" for grant in grants),
            uses=f"{found.permitted.get(owner, 0)} since the ledger began",
        )


def _all(rows: Iterable[RecordRow], name: str) -> list[str]:
    return [str(value) for row in rows for value in row.body.get(name, ())]
