"""That a row, and the consent that it rests on, belongs to a version: checked without the other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consentry.errors import InputRejected
from consentry.manifests import ManifestRow
from consentry_records import merkle
from consentry_records.dataset import DatasetVersion
from consentry_records.digest import digest_bytes
from consentry_records.rows import row_leaf


@dataclass(frozen=True, slots=True)
class RowProof:
    """A row's place and leaf in a version of `size` rows, and the sibling hashes up to the root (RFC 9162).

    Whoever has the dataset's secret recomputes `row_digest` from the row itself (`rows.row_digest`).
    """

    version_id: str
    position: int
    size: int
    row_digest: str
    subject: str
    consent_id: str
    path: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"path": list(self.path)}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> RowProof:
        """Read what `to_dict` gave.

        Raises:
            InputRejected: ROW_PROOF_INVALID.
        """
        kinds = dict.fromkeys(cls.__slots__, str) | {"position": int, "size": int, "path": list}
        if not isinstance(document, dict) or set(document) != set(kinds):
            raise InputRejected("ROW_PROOF_INVALID", f"a row's proof has the fields {', '.join(kinds)}")
        if any(type(document[name]) is not kind for name, kind in kinds.items()) or not all(
            type(node) is str for node in document["path"]
        ):
            raise InputRejected("ROW_PROOF_INVALID", "a field of the row's proof is of another type")
        return cls(**{**document, "path": tuple(document["path"])})

    def holds(self, version: DatasetVersion) -> bool:
        """Whether it proves the row and its consent to be in a version as the ledger has it."""
        try:
            path = [bytes.fromhex(node) for node in self.path]
            leaf = row_leaf(self.row_digest, self.subject, self.consent_id)
        except ValueError:
            return False
        root = digest_bytes(version.merkle_root)
        return (
            self.version_id == version.version_id
            and self.size == version.row_count
            and merkle.verify_inclusion(leaf, self.position, self.size, path, root)
        )


def prove_row(version_id: str, manifest: Sequence[ManifestRow], position: int) -> RowProof:
    """Return the proof of one row of a version's manifest."""
    leaves = [row_leaf(row.row_digest, row.commitment, row.consent_id) for row in manifest]
    row = manifest[position]
    return RowProof(
        version_id=version_id,
        position=position,
        size=len(manifest),
        row_digest=row.row_digest,
        subject=row.commitment,
        consent_id=row.consent_id,
        path=tuple(node.hex() for node in merkle.inclusion_proof(leaves, position)),
    )
