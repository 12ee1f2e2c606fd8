"""Composes the answer to a data subject's request for access (GDPR Art. 15) from the trail index."""

from consentry.index import RowManifest, Trail
from consentry.reports import subject_access_rows as rows
from consentry.reports.result import Completeness, SubjectAccessReport
from consentry.reports.subject_access_fields import statement_fields
from consentry.reports.subject_data import collect


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
    return SubjectAccessReport(
        subject=subject,
        custodian=data.custodian,
        generated_at=generated_at,
        completeness=Completeness(
            channel=status.channel,
            last_block=status.last_block,
            header_hash=status.last_header_hash,
            genesis_hash=status.genesis_hash,
            anchored=status.anchored,
        ),
        basis=data.basis,
        fields=statement_fields(data),
        consents=tuple(rows.consent_row(consent) for consent in data.consents),
        datasets=tuple(rows.dataset_row(version) for version in data.versions),
        accesses=tuple(rows.access_row(access, data) for access in data.accesses),
        sessions=tuple(rows.session_row(session, data) for session in data.sessions),
        model_versions=tuple(rows.model_version_row(version, data) for version in data.model_versions),
        remarks=data.remarks,
    )
