"""What the trail holds of one subject, and of one row of a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from consentry.index.accesses import Access
from consentry.index.checkpoint import IndexFault
from consentry.index.lineage import (
    Basis,
    RowManifest,
    accesses_of_versions,
    consent_versions,
    derived_versions,
)
from consentry.index.record_kinds import SUBJECT
from consentry.index.rows import RecordRow, find_records, get_record, get_records

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SubjectTrail:
    """What the trail holds of one subject of one custodian.

    Attributes:
        subject: the commitment under which the subject is on the ledger.
        consents: its consents, withdrawn ones too.
        limits: opt-out (EHDS Art. 71), objections, restriction or erasure (GDPR Art. 17, 18, 21) as they
            stand; None if the subject never had any.
        requests: requests under GDPR Art. 15 to 21.
        versions: dataset versions with rows of the subject, and those derived from them.
        rows_are_known: whether the custodian's row manifest names the versions; else they only may hold rows.
        accesses: attempts on these versions, with their decisions.
    """

    subject: str
    consents: tuple[RecordRow, ...]
    limits: RecordRow | None
    requests: tuple[RecordRow, ...]
    versions: tuple[RecordRow, ...]
    rows_are_known: bool
    accesses: tuple[Access, ...]

    def to_frame(self) -> pd.DataFrame:
        """The accesses as a pandas frame, in ledger order; columns as of `Trail.to_frame`."""
        return _frame(self.accesses)


@dataclass(frozen=True)
class RowTrail:
    """What the trail holds of one row of a dataset, by the word of its custodian's row manifests.

    Attributes:
        consent_id: the consent that the row rests on.
        versions: ids of the versions that hold the row.
        accesses: attempts on these versions, with their decisions.
    """

    consent_id: str
    versions: tuple[str, ...]
    accesses: tuple[Access, ...]

    def to_frame(self) -> pd.DataFrame:
        """The accesses as a pandas frame, in ledger order; columns as of `Trail.to_frame`."""
        return _frame(self.accesses)


def subject_trail(connection: Connection, subject: str, manifest: RowManifest | None = None) -> SubjectTrail:
    """Gather what the index holds of one subject.

    Args:
        connection: the index.
        subject: the commitment.
        manifest: the custodian's row manifests; without them versions are found by custodian and time.

    Raises:
        IndexFault: SUBJECT_NOT_INDEXED.
    """
    consents = find_records(connection, "consent", subject=subject)
    limits = get_record(connection, SUBJECT, subject)
    requests = find_records(connection, "rights", subject=subject)
    if not (consents or limits or requests):
        raise IndexFault(
            "SUBJECT_NOT_INDEXED",
            "The index has nothing of this subject; check the commitment, and that the index is up to date.",
        )
    held = [consent_versions(connection, consent, manifest) for consent in consents if consent.body]
    versions = derived_versions(connection, {name for _, _, names in held for name in names})
    return SubjectTrail(
        subject=subject,
        consents=tuple(consents),
        limits=limits,
        requests=tuple(requests),
        versions=tuple(get_records(connection, "version", versions)),
        rows_are_known=all(basis is Basis.ROW_MANIFEST for basis, _, _ in held),
        accesses=accesses_of_versions(connection, versions),
    )


def _frame(accesses: Iterable[Access]) -> pd.DataFrame:
    from consentry.index.frames import access_frame

    return access_frame(accesses)
