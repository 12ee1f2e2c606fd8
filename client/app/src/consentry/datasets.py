"""Dataset versions: registered from a frame, each row tied to its subject's consent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Required, TypedDict, Unpack

import pandas as pd

from consentry.data_files import SUBJECT_COLUMN, read_csv, read_frames, read_parquet
from consentry.dataset_rows import RowsRead, counted, read_rows
from consentry.errors import InputRejected, LedgerRefused
from consentry.frame_rows import schema_digest
from consentry.identifiers import new_identifier
from consentry.manifests import DatasetSecret, ManifestRow
from consentry.row_proofs import RowProof, prove_row
from consentry.subjects import SubjectRegister
from consentry.transactions import Transactions, checked
from consentry_records.consent import GIVEN, MAXIMUM_QUERY, Consent
from consentry_records.dataset import (
    DatasetVersion,
    NewDatasetVersion,
    NewRetirement,
    RemovedRows,
    VersionUpdate,
)
from consentry_records.digest import digest_bytes, hmac_digest
from consentry_records.record import field_names
from consentry_records.rows import leaf_digest, row_leaf, rows_root, rows_root_of_digests
from consentry_records.subject import SubjectConsents
from consentry_records.transformation import Transformation

_CONTENT_LABEL = b"consentry/content/1"


class VersionTerms(TypedDict, total=False):
    """What is said of a version beside its rows; `name`, `categories` and `legal_bases` always."""

    name: Required[str]
    categories: Required[Sequence[str]]
    legal_bases: Required[Sequence[str]]
    duo_terms: Sequence[str]
    subject_column: str
    derived_from: Sequence[str]
    transformation: Transformation | None
    supersedes: str | None


class Datasets:
    """The dataset versions of the caller's organization (as custodian), and a look at those of all."""

    def __init__(
        self, transactions: Transactions, msp_id: str, register: Callable[[], SubjectRegister]
    ) -> None:
        self._transactions = transactions
        self._msp_id = msp_id
        self._register = register

    def register_frame(self, frame: pd.DataFrame, **terms: Unpack[VersionTerms]) -> DatasetVersion:
        """Register a frame as the next version of the dataset `name`, as a steward of the custodian.

        Each row is tied to the latest recorded consent of its subject (`subject_column`). On the ledger:
        the Merkle root over (keyed row digest, commitment, consent id), the keyed content digest, the
        digest of the schema (`frame_rows`), and the terms. The rows' manifest and the dataset's secret stay
        in the subject register. `transformation` says how it was made of the versions `derived_from`;
        `supersedes` names the version of the same dataset whose place it takes.

        Raises:
            InputRejected: malformed terms, FRAME_COLUMNS, COLUMN_KIND.
            FrameRejected: rows without a recorded consent, or values without an exact form; all are listed.
            LedgerRefused: DATASET_NAME_TAKEN, ROLE_REQUIRED, …
        """
        return self.register_frames((frame,), **terms)

    def register_csv(
        self, path: Path, *, progress: RowsRead | None = None, **terms: Unpack[VersionTerms]
    ) -> DatasetVersion:
        """Register a CSV file (UTF-8, with a header), read piece by piece; terms as of `register_frame`.

        A column's kind is that of the first piece's values; where another's differ, nothing is registered.
        `progress` is called with the number of rows read so far.

        Raises:
            InputRejected: FILE_UNREADABLE, and as `register_frames`.
            FrameRejected, LedgerRefused: as `register_frame`.
        """
        pieces = read_csv(path, _subject_column(terms))
        return self.register_frames(counted([pieces], progress), **terms)

    def register_parquet(
        self, path: Path, *, progress: RowsRead | None = None, **terms: Unpack[VersionTerms]
    ) -> DatasetVersion:
        """Register a Parquet file, read piece by piece with Arrow's types; as `register_csv` otherwise.

        Raises:
            InputRejected: PARQUET_MISSING, FILE_UNREADABLE, and as `register_frames`.
            FrameRejected, LedgerRefused: as `register_frame`.
        """
        return self.register_frames(counted([read_parquet(path)], progress), **terms)

    def register_files(
        self, paths: Sequence[Path], *, progress: RowsRead | None = None, **terms: Unpack[VersionTerms]
    ) -> DatasetVersion:
        """Register files as one version, their rows in order: Parquet by their names' ending, else CSV.

        Raises:
            InputRejected, FrameRejected, LedgerRefused: as `register_csv` and `register_parquet`.
        """
        files = [read_frames(path, _subject_column(terms)) for path in paths]
        return self.register_frames(counted(files, progress), **terms)

    def register_frames(
        self,
        frames: Iterable[pd.DataFrame],
        *,
        name: str,
        categories: Sequence[str],
        legal_bases: Sequence[str],
        duo_terms: Sequence[str] = (),
        subject_column: str = SUBJECT_COLUMN,
        derived_from: Sequence[str] = (),
        transformation: Transformation | None = None,
        supersedes: str | None = None,
    ) -> DatasetVersion:
        """Register frames of the same columns as one version, one frame in memory at a time.

        Parameters and errors as of `register_frame`; InputRejected SCHEMA_DIFFERS where a frame's columns or
        their kinds are not those of the first.
        """
        dataset = self._settled_dataset(name)
        schema, manifest = read_rows(frames, subject_column, dataset.secret, self._register())
        version = checked(
            lambda: NewDatasetVersion(
                version_id=new_identifier("version"),
                dataset_id=dataset.dataset_id,
                name=name,
                number=dataset.versions + 1,
                content_digest=content_digest(dataset.secret, manifest),
                schema_digest=schema_digest(schema),
                row_count=len(manifest),
                categories=tuple(categories),
                legal_bases=tuple(legal_bases),
                duo_terms=tuple(duo_terms),
                merkle_root=rows_root([_leaf(row) for row in manifest]),
                derived_from=tuple(derived_from),
                transformation=transformation,
                supersedes=supersedes,
                removed_count=0,
                removed_root=None,
            )
        )
        return self._register_version(version, manifest)

    def remove_rows(
        self, version_id: str, *, code_digest: str, consent_ids: Sequence[str] | None = None
    ) -> DatasetVersion | None:
        """Register the version that is left of one's own once rows are removed; return it.

        `consent_ids` are those whose rows go; by default all that were withdrawn, recorded as
        expired or entered in error, and those of subjects whose data are erased. None where no
        row goes. The new version supersedes the old one and names the removed leaves; `code_digest` is that
        of whatever removes the rows from the data. Retire the old version afterwards.

        Raises:
            InputRejected: MANIFEST_UNKNOWN, not a version of this custodian.
            LedgerRefused: VERSION_NOT_FOUND, ROLE_REQUIRED, …
        """
        old, manifest = self.get(version_id), self.manifest(version_id)
        if not manifest:
            raise InputRejected("MANIFEST_UNKNOWN", f"this register has no rows of {version_id}")
        gone = set(consent_ids) if consent_ids is not None else self._ended({r.consent_id for r in manifest})
        kept = [row for row in manifest if row.consent_id not in gone]
        removed = [leaf_digest(_leaf(row)) for row in manifest if row.consent_id in gone]
        if not removed:
            return None
        dataset = self._settled_dataset(old.name)
        transformation = Transformation(
            kinds=("removal",), code_digest=code_digest, parameters_digest=None, environment_digest=None
        )
        version = checked(
            lambda: replace(
                NewDatasetVersion(**{name: getattr(old, name) for name in field_names(NewDatasetVersion)}),
                version_id=new_identifier("version"),
                number=dataset.versions + 1,
                content_digest=content_digest(dataset.secret, kept),
                row_count=len(kept),
                merkle_root=rows_root([_leaf(row) for row in kept]),
                derived_from=(version_id,),
                transformation=transformation,
                supersedes=version_id,
                removed_count=len(removed),
                removed_root=rows_root_of_digests(removed),
            )
        )
        update = checked(lambda: VersionUpdate(version=version, removed=tuple(removed)))
        return self._register_version(version, kept, update)

    def retire(self, version_id: str, reason: str) -> None:
        """Offer a version no longer; `reason` is a code of `dataset.RETIREMENTS`.

        Raises:
            InputRejected: an unknown reason.
            LedgerRefused: VERSION_NOT_FOUND, NOT_CUSTODIAN, VERSION_RETIRED, …
        """
        retirement = checked(lambda: NewRetirement(version_id=version_id, reason=reason))
        self._transactions.submit("datasets:retire", retirement)

    def removed(self, version_id: str) -> tuple[str, ...]:
        """Return the leaf digests of rows that a version lacks against the one that it supersedes."""
        found = self._transactions.evaluate("datasets:removed", version_id)
        return () if found is None else RemovedRows.from_dict(found).removed

    def row_proof(self, version_id: str, position: int) -> RowProof:
        """Return the proof that a row (counted from 0) and its consent belong to a version of one's own.

        Raises:
            InputRejected: ROW_UNKNOWN, the register has no such row.
        """
        manifest = self.manifest(version_id)
        if not 0 <= position < len(manifest):
            raise InputRejected("ROW_UNKNOWN", f"{version_id} has no row {position} in this register")
        return prove_row(version_id, manifest, position)

    def get(self, version_id: str) -> DatasetVersion:
        """Return a dataset version.

        Raises:
            LedgerRefused: VERSION_NOT_FOUND.
        """
        return DatasetVersion.from_dict(self._transactions.evaluate("datasets:get", version_id))

    def versions(self, dataset_id: str) -> tuple[DatasetVersion, ...]:
        """Return a dataset's versions in the order of their numbers, at most 1000.

        Raises:
            LedgerRefused: DATASET_NOT_FOUND.
        """
        found = self._transactions.evaluate("datasets:versions", dataset_id)
        return tuple(DatasetVersion.from_dict(version) for version in found)

    def manifest(self, version_id: str) -> tuple[ManifestRow, ...]:
        """Return the rows of a version of one's own, in order; none for another custodian's."""
        return self._register().manifests.rows(version_id)

    def registered_rows(self, version_id: str) -> Callable[[int, int], Sequence[ManifestRow]]:
        """Return what gives the rows of a version of one's own at positions [start, stop)."""
        manifests = self._register().manifests
        return lambda start, stop: manifests.rows_between(version_id, start, stop)

    def secret(self, name: str) -> DatasetSecret:
        """Return the key of a dataset's row digests, which the custodian hands out with the data."""
        return self._register().manifests.ensure_dataset(name, new_identifier("dataset"))

    def _settled_dataset(self, name: str) -> DatasetSecret:
        """Return the dataset once versions of unknown outcome are looked up: the next number hangs on it."""
        manifests = self._register().manifests
        dataset = manifests.ensure_dataset(name, new_identifier("dataset"))
        for version_id in manifests.unregistered(dataset.dataset_id):
            try:
                self.get(version_id)
            except LedgerRefused as error:
                if error.code != "VERSION_NOT_FOUND":
                    raise
            else:
                manifests.mark_registered(version_id)
        return manifests.ensure_dataset(name, dataset.dataset_id)

    def _ended(self, consent_ids: set[str]) -> set[str]:
        """Those of some consents that were ended, and those of subjects whose data are erased."""
        names = sorted(consent_ids)
        ended: set[str] = set()
        for start in range(0, len(names), MAXIMUM_QUERY):
            found = self._transactions.evaluate("consents:get", names[start : start + MAXIMUM_QUERY])
            consents = [Consent.from_dict(entry) for entry in found]
            people = list(dict.fromkeys(consent.subject for consent in consents))
            subjects = [
                SubjectConsents.from_dict(s) for s in self._transactions.evaluate("subjects:get", people)
            ]
            erased = {subject.subject for subject in subjects if subject.erased}
            ended |= {c.consent_id for c in consents if c.state != GIVEN or c.subject in erased}
        return ended

    def _register_version(
        self,
        version: NewDatasetVersion,
        manifest: Sequence[ManifestRow],
        update: VersionUpdate | None = None,
    ) -> DatasetVersion:
        manifests = self._register().manifests
        manifests.add_version(version.version_id, version.dataset_id, version.number, manifest)
        try:
            if update is None:
                self._transactions.submit("datasets:register", version)
            else:
                self._transactions.submit("datasets:update", update)
        except LedgerRefused:
            manifests.discard_version(version.version_id)
            raise
        manifests.mark_registered(version.version_id)
        return self.get(version.version_id)


def _subject_column(terms: VersionTerms) -> str:
    return terms.get("subject_column", SUBJECT_COLUMN)


def _leaf(row: ManifestRow) -> bytes:
    return row_leaf(row.row_digest, row.commitment, row.consent_id)


def content_digest(secret: bytes, manifest: Sequence[ManifestRow]) -> str:
    """Return the keyed digest of a content: HMAC of a label and all row digests (32 bytes each)."""
    content = b"".join(digest_bytes(row.row_digest) for row in manifest)
    return hmac_digest(secret, _CONTENT_LABEL + content)
