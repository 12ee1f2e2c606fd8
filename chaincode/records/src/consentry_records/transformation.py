"""How a dataset version was made of others (PROV activity, OpenLineage job)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .kinds import DIGEST, Choice, Many, Nullable
from .record import Record

UNSPECIFIED = "unspecified"
TRANSFORMATIONS: Mapping[str, str] = MappingProxyType(
    {
        "selection": "some rows or columns were kept",
        "removal": "rows were removed, such as those of subjects who withdrew",
        "linkage": "rows of several sources were joined",
        "cleaning": "errors were corrected or removed",
        "rectification": "values were corrected at a subject's request",
        "pseudonymisation": "identifiers were replaced",
        "anonymisation": "subjects cannot be identified any more",
        "aggregation": "rows were combined into counts or statistics",
        "feature-extraction": "values were computed of others",
        "annotation": "labels were added",
        "synthesis": "rows were made up by a model of the source",
        "split": "rows were divided, such as into training and test",
        UNSPECIFIED: "recorded before kinds were kept",
    }
)
"""Kinds of transformations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation(Record):
    """What was done, by which code (its digest), and with which parameters in which environment, if known."""

    kinds: Annotated[tuple[str, ...], Many(Choice(TRANSFORMATIONS), 1, 8)]
    code_digest: Annotated[str, DIGEST]
    parameters_digest: Annotated[str | None, Nullable(DIGEST)]
    environment_digest: Annotated[str | None, Nullable(DIGEST)]
