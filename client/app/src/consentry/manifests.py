"""Secrets of datasets and the rows of their registered versions: which row rests on whose consent.

The secret keys the row digests, because a bare hash of a row can be guessed; the custodian hands it out
with the data, so that whoever has both can check a row against the ledger's Merkle root (DESIGN §6).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.custody_store import CustodyStore

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class DatasetSecret:
    """A dataset's id and the key of its row digests; `versions` counts those registered so far."""

    dataset_id: str
    secret: bytes = field(repr=False)
    versions: int


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of a version: keyed digest, its subject's commitment, and the consent that it rests on."""

    row_digest: str
    commitment: str
    consent_id: str


class Manifests:
    """Dataset secrets and row manifests in the custodian's file; part of a `SubjectRegister`."""

    def __init__(self, store: CustodyStore) -> None:
        self._store = store

    def ensure_dataset(self, name: str, dataset_id: str) -> DatasetSecret:
        """Return the dataset of that name; a new one gets `dataset_id` and a random secret."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO datasets (dataset_id, name, secret) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO NOTHING",
                (dataset_id, name, secrets.token_bytes(_SECRET_BYTES)),
            )
            row = connection.execute(
                "SELECT dataset_id, secret, "
                "(SELECT count(*) FROM versions v WHERE v.dataset_id = d.dataset_id AND v.registered) "
                "FROM datasets d WHERE name = ?",
                (name,),
            ).fetchone()
        return DatasetSecret(*row)

    def add_version(self, version_id: str, dataset_id: str, number: int, rows: Sequence[ManifestRow]) -> None:
        """Keep a version's rows, before it is registered."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO versions (version_id, dataset_id, number) VALUES (?, ?, ?)",
                (version_id, dataset_id, number),
            )
            connection.executemany(
                "INSERT INTO rows (version_id, position, row_digest, commitment, consent_id) "
                "VALUES (?, ?, ?, ?, ?)",
                [
                    (version_id, position, row.row_digest, row.commitment, row.consent_id)
                    for position, row in enumerate(rows)
                ],
            )

    def mark_registered(self, version_id: str) -> None:
        """Note that a version is on the ledger."""
        with self._store.writing() as connection:
            connection.execute("UPDATE versions SET registered = 1 WHERE version_id = ?", (version_id,))

    def unregistered(self, dataset_id: str) -> tuple[str, ...]:
        """Return the versions of a dataset that were sent and not heard of since."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT version_id FROM versions WHERE dataset_id = ? AND NOT registered ORDER BY number",
                (dataset_id,),
            ).fetchall()
        return tuple(row[0] for row in found)

    def discard_version(self, version_id: str) -> None:
        """Forget a version that the ledger refused."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM rows WHERE version_id = ?", (version_id,))
            connection.execute("DELETE FROM versions WHERE version_id = ?", (version_id,))

    def rows(self, version_id: str) -> tuple[ManifestRow, ...]:
        """Return a version's rows in their order; none for a version of another custodian."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT row_digest, commitment, consent_id FROM rows WHERE version_id = ? ORDER BY position",
                (version_id,),
            ).fetchall()
        return tuple(ManifestRow(*row) for row in found)

    def rows_between(self, version_id: str, start: int, stop: int) -> tuple[ManifestRow, ...]:
        """Return the rows of a version at positions [start, stop), counted from 0."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT row_digest, commitment, consent_id FROM rows "
                "WHERE version_id = ? AND position >= ? AND position < ? ORDER BY position",
                (version_id, start, stop),
            ).fetchall()
        return tuple(ManifestRow(*row) for row in found)

    def versions_with_row(self, version_id: str, row_digest: str) -> tuple[str, ...]:
        """Return the registered versions of the same dataset that hold a row, sorted."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT DISTINCT version_id FROM versions JOIN rows USING (version_id) WHERE registered "
                "AND dataset_id = (SELECT dataset_id FROM versions WHERE version_id = ?) AND row_digest = ? "
                "ORDER BY version_id",
                (version_id, row_digest),
            ).fetchall()
        return tuple(row[0] for row in found)

    def versions_with(self, commitment: str, consent_id: str | None = None) -> tuple[str, ...]:
        """Return the registered versions that hold rows of a subject, sorted; those under a consent only."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT DISTINCT version_id FROM rows JOIN versions USING (version_id) "
                "WHERE commitment = ? AND (? IS NULL OR consent_id = ?) AND registered ORDER BY version_id",
                (commitment, consent_id, consent_id),
            ).fetchall()
        return tuple(row[0] for row in found)
