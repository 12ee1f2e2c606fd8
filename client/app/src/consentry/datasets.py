"""Dataset versions: registered from a frame, each row tied to its subject's consent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from consentry.errors import FrameRejected, InputRejected, LedgerRefused, RowProblem
from consentry.frame_rows import frame_rows, frame_schema, schema_digest
from consentry.identifiers import new_identifier
from consentry.manifests import DatasetSecret, ManifestRow
from consentry.subjects import SubjectRegister
from consentry.transactions import Transactions, checked
from consentry_records.dataset import DatasetVersion, NewDatasetVersion
from consentry_records.digest import digest_bytes, hmac_digest
from consentry_records.rows import row_digest, row_leaf, rows_root

_CONTENT_LABEL = b"consentry/content/1"


class Datasets:
    """The dataset versions of the caller's organization (as custodian), and a look at those of all."""

    def __init__(
        self, transactions: Transactions, msp_id: str, register: Callable[[], SubjectRegister]
    ) -> None:
        self._transactions = transactions
        self._msp_id = msp_id
        self._register = register

    def register_frame(
        self,
        frame: pd.DataFrame,
        *,
        name: str,
        categories: Sequence[str],
        legal_bases: Sequence[str],
        duo_terms: Sequence[str] = (),
        subject_column: str = "pseudonym",
        derived_from: Sequence[str] = (),
        transformation_digest: str | None = None,
    ) -> DatasetVersion:
        """Register a frame as the next version of the dataset `name`, as a steward of the custodian.

        Each row is tied to the latest recorded consent of its subject (`subject_column`). On the ledger:
        the Merkle root over (keyed row digest, commitment, consent id), the keyed content digest, the
        digest of the schema (`frame_rows`), and the terms. The rows' manifest and the dataset's secret stay
        in the subject register.

        Raises:
            InputRejected: malformed terms, FRAME_COLUMNS, COLUMN_KIND.
            FrameRejected: rows without a recorded consent, or values without an exact form; all are listed.
            LedgerRefused: DATASET_NAME_TAKEN, ROLE_REQUIRED, …
        """
        if subject_column not in frame.columns:
            raise InputRejected("FRAME_COLUMNS", f"the frame has no column {subject_column}")
        links = self._consents_of_rows(frame, subject_column)
        features = frame.drop(columns=[subject_column])
        schema = frame_schema(features)
        rows = list(frame_rows(features, schema))
        dataset = self._settled_dataset(name)
        manifest = [
            ManifestRow(row_digest(dataset.secret, row), commitment, consent_id)
            for row, (commitment, consent_id) in zip(rows, links, strict=True)
        ]
        version = checked(
            lambda: NewDatasetVersion(
                version_id=new_identifier("version"),
                dataset_id=dataset.dataset_id,
                name=name,
                number=dataset.versions + 1,
                content_digest=content_digest(dataset.secret, manifest),
                schema_digest=schema_digest(schema),
                row_count=len(rows),
                categories=tuple(categories),
                legal_bases=tuple(legal_bases),
                duo_terms=tuple(duo_terms),
                merkle_root=rows_root(
                    [row_leaf(row.row_digest, row.commitment, row.consent_id) for row in manifest]
                ),
                derived_from=tuple(derived_from),
                transformation_digest=transformation_digest,
            )
        )
        return self._register_version(version, manifest)

    def get(self, version_id: str) -> DatasetVersion:
        """Return a dataset version.

        Raises:
            LedgerRefused: VERSION_NOT_FOUND.
        """
        return DatasetVersion.from_dict(self._transactions.evaluate("datasets:get", version_id))

    def manifest(self, version_id: str) -> tuple[ManifestRow, ...]:
        """Return the rows of a version of one's own, in order; none for another custodian's."""
        return self._register().manifests.rows(version_id)

    def secret(self, name: str) -> DatasetSecret:
        """Return the key of a dataset's row digests, which the custodian hands out with the data."""
        return self._register().manifests.ensure_dataset(name, new_identifier("dataset"))

    def _consents_of_rows(self, frame: pd.DataFrame, subject_column: str) -> list[tuple[str, str]]:
        register = self._register()
        names = [name if isinstance(name, str) else "" for name in frame[subject_column]]
        subjects = register.find(names)
        consents = register.latest_consents(set(names))
        missing = [position for position, name in enumerate(names) if name not in consents]
        if missing:
            raise FrameRejected(
                [
                    RowProblem(row, subject_column, "NO_CONSENT", "the subject has no recorded consent")
                    for row in missing
                ]
            )
        return [(subjects[name].commitment, consents[name]) for name in names]

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

    def _register_version(
        self, version: NewDatasetVersion, manifest: Sequence[ManifestRow]
    ) -> DatasetVersion:
        manifests = self._register().manifests
        manifests.add_version(version.version_id, version.dataset_id, version.number, manifest)
        try:
            self._transactions.submit("datasets:register", version)
        except LedgerRefused:
            manifests.discard_version(version.version_id)
            raise
        manifests.mark_registered(version.version_id)
        return self.get(version.version_id)


def content_digest(secret: bytes, manifest: Sequence[ManifestRow]) -> str:
    """Return the keyed digest of a content: HMAC of a label and all row digests (32 bytes each)."""
    content = b"".join(digest_bytes(row.row_digest) for row in manifest)
    return hmac_digest(secret, _CONTENT_LABEL + content)
