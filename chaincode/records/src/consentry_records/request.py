"""Requests for access (EHDS Art. 67: purpose, data, period, ethics approval, project)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from .columns import COLUMNS
from .kinds import (
    ACTOR,
    DIGEST,
    DISEASE,
    FLAG,
    INSTANT,
    MSP_ID,
    SLUG,
    Choice,
    Integer,
    Many,
    Nullable,
    identifier,
)
from .migrations import adding
from .record import Migration, Record, field_names
from .vocabulary import PURPOSES, RESEARCH_TOPICS, RESTRICTIONS

MAXIMUM_VERSIONS = 64
MAXIMUM_DISEASES = 16
MAXIMUM_DURATION_SECONDS = 10 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessRequest(Record):
    """A request as a researcher submits it (argument of `grants:request`).

    `duration_seconds` is the longest period asked for, at most ten years (EHDS Art. 68). `project` names the
    project (no person, no free text), `protocol_digest` its protocol; `diseases` what disease-specific
    research is about; `topics` what kinds of research it includes; `commercial` whether any use is
    commercial; `columns` which columns alone are asked for (none: all).
    """

    request_id: Annotated[str, identifier("request")]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_VERSIONS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(RESTRICTIONS), 0, 16)]
    duration_seconds: Annotated[int, Integer(1, MAXIMUM_DURATION_SECONDS)]
    ethics_approval_digest: Annotated[str | None, Nullable(DIGEST)]
    diseases: Annotated[tuple[str, ...], Many(DISEASE, 0, MAXIMUM_DISEASES)] = ()
    topics: Annotated[tuple[str, ...], Many(Choice(RESEARCH_TOPICS), 0, len(RESEARCH_TOPICS))] = ()
    commercial: Annotated[bool, FLAG] = False
    project: Annotated[str | None, Nullable(SLUG)] = None
    protocol_digest: Annotated[str | None, Nullable(DIGEST)] = None
    columns: Annotated[tuple[str, ...], COLUMNS] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest(NewAccessRequest):
    """A request on the ledger, key `request/{id}`; `requester` is the enrolment id of who asked."""

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.request/1": adding(
                "consentry.request/2",
                {"diseases": [], "topics": [], "commercial": False, "project": None, "protocol_digest": None},
            ),
            "consentry.request/2": adding("consentry.request/3", {"columns": []}),
        }
    )

    requester_msp: Annotated[str, MSP_ID]
    requester: Annotated[str, ACTOR]
    requested_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.request/3",))] = "consentry.request/3"

    @classmethod
    def requested(
        cls, new: NewAccessRequest, *, requester_msp: str, requester: str, requested_at: str
    ) -> Self:
        """The record of a request just made."""
        submitted = {name: getattr(new, name) for name in field_names(NewAccessRequest)}
        return cls(**submitted, requester_msp=requester_msp, requester=requester, requested_at=requested_at)
