"""Composes the answer to a data subject's request for access (GDPR Art. 15) from the trail index."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index import RecordRow, RowManifest, Trail
from consentry.index.accesses import Access
from consentry.index.checkpoint import IndexFault
from consentry.index.lineage import WithdrawalImpact, withdrawal_impact
from consentry.index.rows import find_findings, find_records
from consentry.reports import subject_access_rows as rows
from consentry.reports.result import Completeness, SubjectAccessReport
from consentry.reports.subject_access_fields import statement_fields


@dataclass(frozen=True)
class SubjectData:
    """Everything in the index that concerns one subject, each record once and in ledger order."""

    consents: tuple[RecordRow, ...]
    versions: tuple[RecordRow, ...]
    grants: tuple[RecordRow, ...]
    accesses: tuple[Access, ...]
    sessions: tuple[RecordRow, ...]
    rounds: tuple[RecordRow, ...]
    model_versions: tuple[RecordRow, ...]
    models: tuple[RecordRow, ...]
    basis: str
    remarks: tuple[str, ...]


def subject_access_report(
    trail: Trail, subject: str, *, generated_at: str, manifest: RowManifest | None = None
) -> SubjectAccessReport:
    """Answer one subject's request for access.

    Args:
        trail: the index.
        subject: the subject's commitment, ``hmac-sha256:<hex>``; only its custodian knows whose it is.
        generated_at: instant at which the report is made.
        manifest: the custodian's row manifests, which name the dataset versions that hold the subject's rows.

    Returns:
        The report, complete up to the index's last block.

    Raises:
        IndexFault: INDEX_EMPTY, or SUBJECT_NOT_INDEXED if no consent of the subject is on the ledger.
    """
    status = trail.status()
    with trail.snapshot() as connection:
        data = collect(connection, subject, manifest)
    custodian = data.consents[0].owner
    return SubjectAccessReport(
        subject=subject,
        custodian=custodian,
        generated_at=generated_at,
        completeness=Completeness(
            channel=status.channel,
            last_block=status.last_block,
            header_hash=status.last_header_hash,
            genesis_hash=status.genesis_hash,
            anchored=status.anchored,
        ),
        basis=data.basis,
        fields=statement_fields(data.consents, data.versions, data.accesses, data.model_versions),
        consents=tuple(rows.consent_row(consent) for consent in data.consents),
        datasets=tuple(rows.dataset_row(version) for version in data.versions),
        accesses=tuple(rows.access_row(access, data) for access in data.accesses),
        sessions=tuple(rows.session_row(session, data) for session in data.sessions),
        model_versions=tuple(rows.model_version_row(version, data) for version in data.model_versions),
        remarks=data.remarks,
    )


def collect(connection: Connection, subject: str, manifest: RowManifest | None) -> SubjectData:
    """Gather what the index holds about one subject.

    Raises:
        IndexFault: SUBJECT_NOT_INDEXED.
    """
    consents = find_records(connection, "consent", subject=subject)
    if not consents:
        raise IndexFault(
            "SUBJECT_NOT_INDEXED",
            "The index has no consent of this subject; check the commitment, "
            "and that the index is up to date.",
        )
    impacts = [withdrawal_impact(connection, consent.record_id, manifest) for consent in consents]
    models = {
        str(version.body["model_id"])
        for impact in impacts
        for version in impact.model_versions
        if version.body
    }
    return SubjectData(
        consents=tuple(consents),
        versions=_merged(impact.versions for impact in impacts),
        grants=_merged(impact.grants for impact in impacts),
        accesses=_merged_accesses(impacts),
        sessions=_merged(impact.sessions for impact in impacts),
        rounds=_merged(impact.rounds for impact in impacts),
        model_versions=_merged(impact.model_versions for impact in impacts),
        models=tuple(model for model in find_records(connection, "model") if model.record_id in models),
        basis=" ".join(dict.fromkeys(impact.note for impact in impacts)),
        remarks=_remarks(connection, consents, impacts),
    )


def _remarks(
    connection: Connection, consents: list[RecordRow], impacts: list[WithdrawalImpact]
) -> tuple[str, ...]:
    concerned = {(row.kind, row.record_id) for row in consents}
    for impact in impacts:
        for group in (impact.versions, impact.grants, impact.sessions, impact.rounds, impact.model_versions):
            concerned |= {(row.kind, row.record_id) for row in group}
        concerned |= {
            (kind, access.attempt_id) for access in impact.accesses for kind in ("attempt", "decision")
        }
    return tuple(
        f"Block {finding.block}: {finding.sentence}"
        for finding in find_findings(connection)
        if (finding.kind, finding.record_id) in concerned
    )


def _merged(groups: Iterable[tuple[RecordRow, ...]]) -> tuple[RecordRow, ...]:
    found = {row.record_id: row for group in groups for row in group}
    return tuple(sorted(found.values(), key=lambda row: (row.first_block, row.record_id)))


def _merged_accesses(impacts: list[WithdrawalImpact]) -> tuple[Access, ...]:
    found = {access.attempt_id: access for impact in impacts for access in impact.accesses}
    return tuple(sorted(found.values(), key=lambda access: (access.block, access.attempt_id)))
