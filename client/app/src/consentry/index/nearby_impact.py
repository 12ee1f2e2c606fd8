"""What a withdrawal of one consent would reach, in numbers and with the newest records of each kind.

`lineage.withdrawal_impact` names everything, for reports; here a consent that much rests on is answered as
fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index.accesses import count_by_recipient
from consentry.index.checkpoint import IndexFault
from consentry.index.lineage import Basis, RowManifest, consent_versions
from consentry.index.nearby_lineage import MOST_FOLLOWED, NearbyLineage, followed, lineage_around
from consentry.index.rows import RecordRow, get_record, linking_to


@dataclass(frozen=True)
class NearbyImpact:
    """What rests on one consent.

    Attributes:
        consent: the consent.
        basis: how the dataset versions were found; by custodian and time they *may* hold the subject's rows.
        versions: ids of the dataset versions, those derived from them included.
        is_cut: whether there are more versions than are followed.
        lineage: these versions with the grants, training sessions and model versions that rest on them.
        attempts: attempts on these versions by organization (MSP id) and outcome.
    """

    consent: RecordRow
    basis: Basis
    versions: tuple[str, ...]
    is_cut: bool
    lineage: NearbyLineage
    attempts: dict[tuple[str, str], int]


def impact_of_consent(
    connection: Connection, consent_id: str, manifest: RowManifest | None, most: int
) -> NearbyImpact:
    """Follow one consent to what rests on it.

    Args:
        connection: the index.
        consent_id: the consent, withdrawn or not.
        manifest: the custodian's row manifests; without them versions are found by custodian and time.
        most: records of each kind.

    Raises:
        IndexFault: CONSENT_NOT_INDEXED.
    """
    consent = get_record(connection, "consent", consent_id)
    if consent is None or not consent.body:
        raise IndexFault("CONSENT_NOT_INDEXED", f"The index has no consent {consent_id}; check the id.")
    basis, _, named = consent_versions(connection, consent, manifest)
    versions, is_cut = reached_versions(connection, named)
    return NearbyImpact(
        consent=consent,
        basis=basis,
        versions=versions,
        is_cut=is_cut,
        lineage=lineage_around(connection, versions, most),
        attempts=count_by_recipient(connection, versions),
    )


def reached_versions(connection: Connection, versions: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Dataset versions with those made from them, and whether there are more than are followed."""
    found = followed(connection, "version", versions, linking_to)
    return tuple(found), len(found) >= MOST_FOLLOWED
