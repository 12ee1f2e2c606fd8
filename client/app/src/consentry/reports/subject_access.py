"""Composes the answer to a data subject's request for access (GDPR Art. 15) from the trail index."""

from consentry.index import RowManifest, Trail
from consentry.reports import subject_access_rows as rows
from consentry.reports.details import Details
from consentry.reports.figures import Figure, time_line
from consentry.reports.report import Report, Table, make_table
from consentry.reports.sources import attempts_by_outcome, completeness_of
from consentry.reports.subject_access_fields import statement_fields
from consentry.reports.subject_access_tables import (
    AccessRow,
    ConsentRow,
    DatasetRow,
    ModelVersionRow,
    SessionRow,
)
from consentry.reports.subject_data import SubjectData, collect

KIND = "gdpr-15"


def subject_access_report(
    trail: Trail,
    subject: str,
    *,
    generated_at: str,
    manifest: RowManifest | None = None,
    details: Details | None = None,
) -> Report:
    """Answer one subject's request for access.

    Args:
        trail: the index.
        subject: the subject's commitment, ``hmac-sha256:<hex>``; only its custodian knows whose it is.
        generated_at: instant at which the report is made.
        manifest: the custodian's row manifests, which name the dataset versions that hold the subject's rows.
        details: what the organization itself states.

    Returns:
        The report, complete up to the index's last block.

    Raises:
        IndexFault: INDEX_EMPTY, or SUBJECT_NOT_INDEXED if no consent of the subject is on the ledger.
    """
    completeness = completeness_of(trail)
    with trail.snapshot() as connection:
        data = collect(connection, subject, manifest)
    return Report(
        kind=KIND,
        title="Access by the data subject",
        law="Answer to a request under Article 15 of the General Data Protection Regulation (EU) 2016/679, "
        "made from the ledger.",
        facts=(("Custodian", data.custodian), ("Subject", subject)),
        generated_at=generated_at,
        completeness=completeness,
        basis=data.basis,
        statements="What the law asks us to tell you",
        fields=statement_fields(data, details or Details()),
        tables=_tables(data),
        figures=_figures(data),
        remarks=data.remarks,
    )


def _tables(data: SubjectData) -> tuple[Table, ...]:
    return (
        make_table("consents", "Your consents", "None.", ConsentRow, map(rows.consent_row, data.consents)),
        data.limits.table("Limits on the use of your data"),
        make_table(
            "datasets",
            "Datasets with data about you",
            "No dataset version with data about you is on the ledger.",
            DatasetRow,
            map(rows.dataset_row, data.versions),
        ),
        make_table(
            "accesses",
            "Who accessed or tried to access them",
            "Nobody tried to access data about you.",
            AccessRow,
            (rows.access_row(access, data) for access in data.accesses),
        ),
        make_table(
            "sessions",
            "Training sessions that used them",
            "No training session used data about you.",
            SessionRow,
            (rows.session_row(session, data) for session in data.sessions),
        ),
        make_table(
            "model_versions",
            "Models made from them",
            "No model was made from data about you.",
            ModelVersionRow,
            (rows.model_version_row(version, data) for version in data.model_versions),
        ),
    )


def _figures(data: SubjectData) -> tuple[Figure, ...]:
    drawn = time_line("accesses", "Attempts to access the data", attempts_by_outcome(data.accesses))
    return (drawn,) if drawn is not None else ()
