"""Everything that happened with one person's data, by every recipient: for the person's custodian alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index import Access, AccessFilter, IndexFault, Page, PageRequest, RowManifest
from consentry.index.accesses import count_by_recipient, find_accesses
from consentry.index.lineage import Basis, consent_versions
from consentry.index.nearby_impact import reached_versions
from consentry.index.nearby_lineage import lineage_around
from consentry.index.rows import find_records
from consentry.web.graphs import MOST_OF_A_KIND
from consentry.web.views.around import Around, around
from consentry.web.views.recipients import Recipient, recipients
from consentry_records.consent import Consent
from consentry_records.rights_request import RightsRequest

ACCESSES_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class SubjectView:
    """One person's data on the ledger.

    Attributes:
        subject: the person's commitment.
        consents: every consent with whether its custodian endorsed it, oldest first.
        requests: requests of the person about rights.
        rows_are_known: whether row manifests name the dataset versions; else they may hold rows.
        is_cut: whether there are more dataset versions than are followed.
        around: the dataset versions with the grants, training sessions and model versions that rest on them.
        recipients: who tried to access the data, and what came of it.
        accesses: a page of these attempts, newest first.
    """

    subject: str
    consents: tuple[tuple[Consent, bool], ...]
    requests: tuple[RightsRequest, ...]
    rows_are_known: bool
    is_cut: bool
    around: Around
    recipients: tuple[Recipient, ...]
    accesses: Page[Access]

    @property
    def row_count(self) -> int:
        """How many records the page tells of."""
        attempts = sum(entry.attempts for entry in self.recipients)
        return len(self.consents) + len(self.requests) + self.around.count + attempts


def view_subject(
    connection: Connection, subject: str, manifest: RowManifest | None, at: str, page: PageRequest
) -> SubjectView:
    """What the ledger holds about one subject.

    Args:
        connection: the index.
        subject: the subject's commitment.
        manifest: the custodian's row manifests.
        at: the instant at which grants are read.
        page: which page of accesses.

    Raises:
        IndexFault: SUBJECT_NOT_INDEXED.
    """
    rows = [row for row in find_records(connection, "consent", subject=subject) if row.body]
    if not rows:
        raise IndexFault("SUBJECT_NOT_INDEXED", "The index has no consent of this subject.")
    found = [consent_versions(connection, row, manifest) for row in rows]
    named = dict.fromkeys(version for _, _, versions in found for version in versions)
    versions, is_cut = reached_versions(connection, list(named))
    lineage = lineage_around(connection, versions, MOST_OF_A_KIND)
    requests = find_records(connection, "rights", subject=subject)
    return SubjectView(
        subject=subject,
        consents=tuple((Consent.from_dict(row.body), row.honoured) for row in rows),
        requests=tuple(RightsRequest.from_dict(row.body) for row in requests if row.body),
        rows_are_known=all(basis is Basis.ROW_MANIFEST for basis, _, _ in found),
        is_cut=is_cut,
        around=around(lineage, at),
        recipients=recipients(count_by_recipient(connection, versions)),
        accesses=find_accesses(connection, AccessFilter(versions=tuple(versions)), page),
    )
