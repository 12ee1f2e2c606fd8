"""What if this consent is withdrawn? What it is, and everything that rests on it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index import RowManifest
from consentry.index.lineage import Basis
from consentry.index.nearby_impact import impact_of_consent
from consentry.web.graphs import MOST_OF_A_KIND
from consentry.web.views.around import Around, around
from consentry.web.views.recipients import Recipient, recipients
from consentry_records.consent import Consent


@dataclass(frozen=True, slots=True)
class ImpactView:
    """What rests on one consent.

    Attributes:
        consent: the consent.
        custodian: MSP id of whose it is.
        honoured: False if its custodian did not endorse it.
        rows_are_known: whether row manifests name the dataset versions; else they may hold rows.
        is_cut: whether there are more dataset versions than are followed.
        around: the dataset versions with the grants, training sessions and model versions that rest on them.
        recipients: who tried to access the versions, and what came of it.
    """

    consent: Consent
    custodian: str
    honoured: bool
    rows_are_known: bool
    is_cut: bool
    around: Around
    recipients: tuple[Recipient, ...]

    @property
    def subject(self) -> str:
        """The commitment of the person who gave the consent."""
        return self.consent.subject

    @property
    def row_count(self) -> int:
        """How many records were found."""
        return self.around.count + sum(entry.attempts for entry in self.recipients)


def view_impact(connection: Connection, consent_id: str, manifest: RowManifest | None, at: str) -> ImpactView:
    """What rests on a consent, withdrawn or not.

    Args:
        connection: the index.
        consent_id: its id.
        manifest: the row manifests of its custodian; None for whoever is not.
        at: the instant at which grants are read.

    Raises:
        IndexFault: CONSENT_NOT_INDEXED.
    """
    found = impact_of_consent(connection, consent_id, manifest, MOST_OF_A_KIND)
    return ImpactView(
        consent=Consent.from_dict(found.consent.body),
        custodian=found.consent.owner,
        honoured=found.consent.honoured,
        rows_are_known=found.basis is Basis.ROW_MANIFEST,
        is_cut=found.is_cut,
        around=around(found.lineage, at),
        recipients=recipients(found.attempts),
    )
