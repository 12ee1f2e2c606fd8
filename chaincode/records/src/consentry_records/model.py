"""Models and their versions (AI Act Annex IV; CycloneDX model card fields that are digests or numbers)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from .kinds import ACTOR, DECIMAL, DIGEST, INSTANT, MSP_ID, SLUG, Choice, Many, Nullable, Table, identifier
from .migrations import adding
from .model_signature import ManifestSignature
from .record import Migration, Nested, Record
from .training import MAXIMUM_METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel(Record):
    """A model as its owner submits it (argument of `models:register`); names are unique for one owner."""

    model_id: Annotated[str, identifier("model")]
    name: Annotated[str, SLUG]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(NewModel):
    """A model on the ledger, key `model/{id}`; `owner` is an MSP id."""

    owner: Annotated[str, MSP_ID]
    registered_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.model/1",))] = "consentry.model/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModelVersion(Record):
    """A model version as its owner submits it (argument of `models:register_version`).

    `sessions` are the training sessions that made it; `metrics` decimal numbers as text, measured on the rows
    that `test_set_digest` names; `signature` is that of the manifest of the model's files.
    """

    model_version_id: Annotated[str, identifier("modelversion")]
    model_id: Annotated[str, identifier("model")]
    weights_digest: Annotated[str, DIGEST]
    architecture_digest: Annotated[str, DIGEST]
    parent: Annotated[str | None, Nullable(identifier("modelversion"))]
    sessions: Annotated[tuple[str, ...], Many(identifier("session"), 1, 64)]
    metrics: Annotated[Mapping[str, str], Table(DECIMAL, MAXIMUM_METRICS)]
    test_set_digest: Annotated[str | None, Nullable(DIGEST)]
    signature: Annotated[ManifestSignature | None, Nullable(Nested(ManifestSignature))] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion(NewModelVersion):
    """A model version on the ledger, key `modelversion/{id}`; `registered_by` is an enrolment id."""

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.modelversion/1": adding("consentry.modelversion/2", {"signature": None})}
    )

    registered_at: Annotated[str, INSTANT]
    registered_by: Annotated[str, ACTOR]
    schema: Annotated[str, Choice(("consentry.modelversion/2",))] = "consentry.modelversion/2"
