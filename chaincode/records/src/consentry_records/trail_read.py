"""Reads of the trail: who looked at what, one record a question or report (EHDS Art. 9, 73)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from .identifiers import KINDS
from .kinds import ACTOR, DIGEST, INSTANT, MSP_ID, SLUG, Choice, Integer, Many, Nullable, Text, identifier
from .migrations import adding
from .record import Migration, Record
from .roles import ROLES

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "subject": "a subject's records",
        "dataset": "accesses to a dataset",
        "actor": "what one person or organization tried",
        "model": "what a model comes from",
        "impact": "what a withdrawal reaches",
        "transactions": "transactions",
        "history": "every write of one record",
        "findings": "writes that honest contracts would not have made",
        "records": "records of one kind",
        "report": "a report",
    }
)
"""What can be asked of the trail."""

CONCERNED = Text(
    re.compile(rf"(?:{'|'.join(KINDS)})-[0-9a-f]{{32}}|hmac-sha256:[0-9a-f]{{64}}|[A-Za-z0-9._-]{{1,64}}"),
    "an id of the ledger, a subject's commitment, an MSP id, an enrolment id, or a dataset's name",
)
MAXIMUM_CONCERNED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrailRead(Record):
    """A read as its reader submits it (argument of `trail:record_read`).

    `concerned` are ids that were asked about, `row_count` how many rows came back, complete up to
    `last_block`. For a report `report` is its kind, such as gdpr-15, and `report_digest` that of the file.
    `claimed_at` is when it was read, by the reader's word, where the record was not made at once.
    A service that shows the trail to people names whom it showed this, by enrolment id, in `shown_to`, and in
    `sign_in_digest` the digest of what that person signed to be shown it.
    """

    trail_read_id: Annotated[str, identifier("trailread")]
    question: Annotated[str, Choice(QUESTIONS)]
    concerned: Annotated[tuple[str, ...], Many(CONCERNED, 0, MAXIMUM_CONCERNED)]
    row_count: Annotated[int, Integer(0, 10**12)]
    last_block: Annotated[int, Integer(0, 2**53 - 1)]
    report: Annotated[str | None, Nullable(SLUG)]
    report_digest: Annotated[str | None, Nullable(DIGEST)]
    claimed_at: Annotated[str | None, Nullable(INSTANT)]
    shown_to: Annotated[str | None, Nullable(ACTOR)] = None
    sign_in_digest: Annotated[str | None, Nullable(DIGEST)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailRead(NewTrailRead):
    """A read on the ledger, key `trailread/{id}`, with who read in which roles, by the reader's clock."""

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.trailread/1": adding("consentry.trailread/2", {"claimed_at": None}),
            "consentry.trailread/2": adding(
                "consentry.trailread/3", {"shown_to": None, "sign_in_digest": None}
            ),
        }
    )

    reader_msp: Annotated[str, MSP_ID]
    reader: Annotated[str, ACTOR]
    roles: Annotated[tuple[str, ...], Many(Choice(ROLES), 0, len(ROLES))]
    read_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.trailread/3",))] = "consentry.trailread/3"
