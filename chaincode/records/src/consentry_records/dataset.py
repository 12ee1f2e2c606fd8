"""Datasets and their versions (EHDS Art. 68 permit fields, DUO terms, lineage as in PROV and OpenLineage)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from .errors import LedgerError
from .kinds import CONTENT_DIGEST, DIGEST, INSTANT, MSP_ID, SLUG, Choice, Integer, Many, Nullable, identifier
from .record import Record, field_names
from .vocabulary import DUO_TERMS, LEGAL_BASES

SCHEMA = "consentry.version/1"
MAXIMUM_ROWS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Record):
    """A dataset of one custodian, key `dataset/{id}`; written with its first version and never again."""

    dataset_id: Annotated[str, identifier("dataset")]
    name: Annotated[str, SLUG]
    custodian: Annotated[str, MSP_ID]
    schema: Annotated[str, Choice(("consentry.dataset/1",))] = "consentry.dataset/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDatasetVersion(Record):
    """One version as the custodian submits it (argument of `datasets:register`).

    `content_digest` is keyed (`hmac-sha256:`) where the content is personal data; `merkle_root` is
    `rows.rows_root` over its rows; `derived_from` names versions that it was made of, `transformation_digest`
    the code that made it.
    """

    version_id: Annotated[str, identifier("version")]
    dataset_id: Annotated[str, identifier("dataset")]
    name: Annotated[str, SLUG]
    number: Annotated[int, Integer(1, 999_999)]
    content_digest: Annotated[str, CONTENT_DIGEST]
    schema_digest: Annotated[str, DIGEST]
    row_count: Annotated[int, Integer(0, MAXIMUM_ROWS)]
    categories: Annotated[tuple[str, ...], Many(SLUG, 1, 32)]
    legal_bases: Annotated[tuple[str, ...], Many(Choice(LEGAL_BASES), 1, 16)]
    duo_terms: Annotated[tuple[str, ...], Many(Choice(DUO_TERMS), 0, 32)]
    merkle_root: Annotated[str, DIGEST]
    derived_from: Annotated[tuple[str, ...], Many(identifier("version"), 0, 64)]
    transformation_digest: Annotated[str | None, Nullable(DIGEST)]

    def check(self) -> None:
        """A derived version names its transformation, and only such a one; raises LedgerError
        DERIVATION_INVALID.
        """
        if bool(self.derived_from) != (self.transformation_digest is not None):
            raise LedgerError("DERIVATION_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion(NewDatasetVersion):
    """One version on the ledger, key `version/{id}`, under its custodian's key-level policy."""

    custodian: Annotated[str, MSP_ID]
    registered_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    @classmethod
    def registered(cls, new: NewDatasetVersion, *, custodian: str, registered_at: str) -> Self:
        """The record of a version just registered."""
        submitted = {name: getattr(new, name) for name in field_names(NewDatasetVersion)}
        return cls(**submitted, custodian=custodian, registered_at=registered_at)
