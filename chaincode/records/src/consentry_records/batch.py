"""That a batch of consents, changes or opt-outs was recorded: what makes a batch count once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from .consent import MAXIMUM_BATCH
from .kinds import DIGEST, INSTANT, MSP_ID, Choice, Integer, Nullable, identifier
from .record import Migration, Record

CONSENTS = "consents"
CHANGES = "changes"
OPT_OUTS = "opt-outs"
CONTENTS = (CONSENTS, CHANGES, OPT_OUTS)


def _from_version_1(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "contents": CONSENTS, "schema": "consentry.batch/2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedBatch(Record):
    """A batch that was recorded, key `batch/{id}`; recording it again is refused.

    `private_entry_digest` is null for a batch without private entries.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType({"consentry.batch/1": _from_version_1})

    batch_id: Annotated[str, identifier("batch")]
    custodian: Annotated[str, MSP_ID]
    contents: Annotated[str, Choice(CONTENTS)]
    private_entry_digest: Annotated[str | None, Nullable(DIGEST)]
    count: Annotated[int, Integer(1, MAXIMUM_BATCH)]
    recorded_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.batch/2",))] = "consentry.batch/2"
