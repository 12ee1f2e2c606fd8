"""Datasets and their versions (EHDS Art. 68 permit fields, DUO terms, lineage as in PROV and OpenLineage)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from .earlier_datasets import version_from_version_1
from .errors import LedgerError
from .kinds import (
    ACTOR,
    CONTENT_DIGEST,
    DIGEST,
    DISEASE,
    INSTANT,
    MSP_ID,
    SLUG,
    Choice,
    Integer,
    Many,
    Nullable,
    identifier,
)
from .record import Migration, Nested, Record, field_names
from .rows import rows_root_of_digests
from .transformation import Transformation
from .vocabulary import DUO_TERMS, LEGAL_BASES

SCHEMA = "consentry.version/2"
ACTIVE = "active"
RETIRED = "retired"
MAXIMUM_REMOVED = 4096
RETIREMENTS: Mapping[str, str] = MappingProxyType(
    {
        "superseded": "another version takes its place",
        "withdrawals": "subjects withdrew",
        "erasure": "subjects asked for erasure",
        "retention-ended": "the retention period is over",
        "error": "it should not have been registered",
        "custodian-decision": "the custodian offers it no longer",
    }
)
"""Why a version is retired."""
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
    `rows.rows_root` over its rows; `derived_from` names versions that it was made of, `transformation` how.
    `supersedes` is the version of the same dataset whose place it takes; of the rows that it lacks against
    that one, `removed_count` is the number and `removed_root` the Merkle root of their leaf hashes.
    `diseases` (Mondo) are those to which DUO:0000007 among the terms restricts research.
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
    transformation: Annotated[Transformation | None, Nullable(Nested(Transformation))]
    supersedes: Annotated[str | None, Nullable(identifier("version"))]
    removed_count: Annotated[int, Integer(0, MAXIMUM_REMOVED)]
    removed_root: Annotated[str | None, Nullable(DIGEST)]
    diseases: Annotated[tuple[str, ...], Many(DISEASE, 0, 16)] = ()

    def check(self) -> None:
        """A derived version names its transformation, and only such a one; rows are removed from a version
        that it supersedes. Raises LedgerError DERIVATION_INVALID or REMOVAL_INVALID.
        """
        if bool(self.derived_from) != (self.transformation is not None):
            raise LedgerError("DERIVATION_INVALID")
        removes = self.removed_root is not None
        if removes != bool(self.removed_count) or (removes and self.supersedes is None):
            raise LedgerError("REMOVAL_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement(Record):
    """That and why a version is offered no longer: no decision permits its use from then on."""

    reason: Annotated[str, Choice(RETIREMENTS)]
    retired_at: Annotated[str, INSTANT]
    retired_by: Annotated[str, ACTOR]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion(NewDatasetVersion):
    """One version on the ledger, key `version/{id}`, under its custodian's key-level policy.

    Only its retirement changes it.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.version/1": version_from_version_1}
    )

    custodian: Annotated[str, MSP_ID]
    registered_at: Annotated[str, INSTANT]
    state: Annotated[str, Choice((ACTIVE, RETIRED))]
    retirement: Annotated[Retirement | None, Nullable(Nested(Retirement))]
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    @classmethod
    def registered(cls, new: NewDatasetVersion, *, custodian: str, registered_at: str) -> Self:
        """The record of a version just registered."""
        submitted = {name: getattr(new, name) for name in field_names(NewDatasetVersion)}
        return cls(
            **submitted, custodian=custodian, registered_at=registered_at, state=ACTIVE, retirement=None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionUpdate(Record):
    """Argument of `datasets:update`: a version that takes another's place without some of its rows.

    `removed` are the leaf hashes (`rows.leaf_digest`) of the rows that it lacks, in the order of those rows.
    """

    version: Annotated[NewDatasetVersion, Nested(NewDatasetVersion)]
    removed: Annotated[tuple[str, ...], Many(DIGEST, 1, MAXIMUM_REMOVED)]

    def check(self) -> None:
        """The version names just these rows; raises LedgerError REMOVAL_INVALID."""
        if (self.version.removed_count, self.version.removed_root) != (
            len(self.removed),
            rows_root_of_digests(self.removed),
        ):
            raise LedgerError("REMOVAL_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedRows(Record):
    """The rows that a version lacks against the one that it supersedes, key `removed/{version id}`."""

    version_id: Annotated[str, identifier("version")]
    supersedes: Annotated[str, identifier("version")]
    removed: Annotated[tuple[str, ...], Many(DIGEST, 1, MAXIMUM_REMOVED)]
    schema: Annotated[str, Choice(("consentry.removed/1",))] = "consentry.removed/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRetirement(Record):
    """Argument of `datasets:retire`."""

    version_id: Annotated[str, identifier("version")]
    reason: Annotated[str, Choice(RETIREMENTS)]
