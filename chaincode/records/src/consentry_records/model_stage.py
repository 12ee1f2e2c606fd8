"""Stages of model versions: who brought one into use, took it back, and why (AI Act Art. 12, Annex IV)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .errors import LedgerError
from .kinds import ACTOR, DIGEST, INSTANT, Choice, Integer, Many, Nullable, identifier
from .record import Record

DEVELOPMENT = "development"
VALIDATION = "validation"
PRODUCTION = "production"
REPLACED = "replaced"
ROLLED_BACK = "rolled-back"
PUBLISHED = "published"
RETIRED = "retired"

TRANSITIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        DEVELOPMENT: (VALIDATION, RETIRED),
        VALIDATION: (PRODUCTION, PUBLISHED, DEVELOPMENT, RETIRED),
        PRODUCTION: (RETIRED,),
        REPLACED: (PRODUCTION, PUBLISHED, RETIRED),
        ROLLED_BACK: (VALIDATION, RETIRED),
        PUBLISHED: (RETIRED,),
        RETIRED: (),
    }
)
"""Stage → stages that a decision can bring a version to; a new version is in development.

A version that comes into production puts the one before it into the stage replaced. Bringing a replaced one
back is a rollback, and puts the one before it into the stage rolled-back.
"""

STAGE_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "VALIDATED": "the validation was passed",
        "VALIDATION_FAILED": "the validation was not passed",
        "BETTER_METRICS": "its metrics are better than those of the version before",
        "DRIFT": "its metrics fell in use",
        "SAFETY": "its use was not safe",
        "CONSENT_WITHDRAWN": "consents of data that it was trained on were withdrawn",
        "DEFECT": "it has a defect",
        "SUPERSEDED": "another version takes its place",
        "RELEASE": "it is to be published",
    }
)
"""Why a version's stage was changed, in codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChange(Record):
    """Argument of `models:change_stage`; `evidence_digest` is `sha256:` of the report that was decided on."""

    model_version_id: Annotated[str, identifier("modelversion")]
    stage: Annotated[str, Choice((VALIDATION, PRODUCTION, PUBLISHED, DEVELOPMENT, RETIRED))]
    reasons: Annotated[tuple[str, ...], Many(Choice(STAGE_REASONS), 1, len(STAGE_REASONS))]
    evidence_digest: Annotated[str | None, Nullable(DIGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStage(Record):
    """A version's stage, key `stage/{model_version_id}`; each change is a revision, and history keeps them
    all.
    """

    model_version_id: Annotated[str, identifier("modelversion")]
    model_id: Annotated[str, identifier("model")]
    stage: Annotated[str, Choice(tuple(TRANSITIONS))]
    previous_stage: Annotated[str, Choice(tuple(TRANSITIONS))]
    reasons: Annotated[tuple[str, ...], Many(Choice(STAGE_REASONS), 1, len(STAGE_REASONS))]
    evidence_digest: Annotated[str | None, Nullable(DIGEST)]
    decided_by: Annotated[str, ACTOR]
    decided_at: Annotated[str, INSTANT]
    revision: Annotated[int, Integer(1, 1_000_000)]
    schema: Annotated[str, Choice(("consentry.stage/1",))] = "consentry.stage/1"


def check_transition(before: str, after: str) -> None:
    """Refuse a step that the table does not know; raises LedgerError STAGE_NOT_REACHABLE."""
    if after not in TRANSITIONS[before]:
        raise LedgerError("STAGE_NOT_REACHABLE", {"before": before, "after": after})
