"""Training sessions and their rounds (AI Act Art. 12 and Annex IV: which data, code and parameters made a
model).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from .errors import LedgerError
from .kinds import (
    ACTOR,
    DECIMAL,
    DIGEST,
    FLAG,
    INSTANT,
    MSP_ID,
    Choice,
    Integer,
    Many,
    Nullable,
    Table,
    identifier,
)
from .record import Nested, Record
from .vocabulary import PURPOSES

STARTED = "started"
COMPLETED = "completed"
FAILED = "failed"
ABORTED = "aborted"
END_STATES = (COMPLETED, FAILED, ABORTED)
MAXIMUM_ATTEMPTS = 64
MAXIMUM_PARTICIPANTS = 64
MAXIMUM_METRICS = 32
MAXIMUM_ROUNDS = 999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrainingSession(Record):
    """A session as its trainer submits it (argument of `training:start`); every attempt needs its permit."""

    session_id: Annotated[str, identifier("session")]
    model_id: Annotated[str, identifier("model")]
    purpose: Annotated[str, Choice(PURPOSES)]
    commercial: Annotated[bool, FLAG]
    attempts: Annotated[tuple[str, ...], Many(identifier("attempt"), 1, MAXIMUM_ATTEMPTS)]
    code_digest: Annotated[str, DIGEST]
    environment_digest: Annotated[str, DIGEST]
    hyperparameters_digest: Annotated[str, DIGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSession(NewTrainingSession):
    """A session on the ledger, key `session/{id}`; `versions` are the dataset versions that its attempts were
    for.
    """

    msp: Annotated[str, MSP_ID]
    trainer: Annotated[str, ACTOR]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_ATTEMPTS)]
    started_at: Annotated[str, INSTANT]
    state: Annotated[str, Choice((STARTED, *END_STATES))]
    ended_at: Annotated[str | None, Nullable(INSTANT)]
    schema: Annotated[str, Choice(("consentry.session/1",))] = "consentry.session/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant(Record):
    """What one organization computed on one dataset version in a round: how many rows, and the digest of its
    update.
    """

    msp: Annotated[str, MSP_ID]
    version_id: Annotated[str, identifier("version")]
    update_digest: Annotated[str, DIGEST]
    rows: Annotated[int, Integer(1, 10**12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrainingRound(Record):
    """A round as its trainer submits it (argument of `training:record_round`); numbers run from 1 without
    gaps.

    `metrics` are decimal numbers as text, by name.
    """

    session_id: Annotated[str, identifier("session")]
    number: Annotated[int, Integer(1, MAXIMUM_ROUNDS)]
    participants: Annotated[tuple[Participant, ...], Many(Nested(Participant), 1, MAXIMUM_PARTICIPANTS)]
    aggregate_digest: Annotated[str, DIGEST]
    metrics: Annotated[Mapping[str, str], Table(DECIMAL, MAXIMUM_METRICS)]

    def check(self) -> None:
        """No dataset version twice; raises LedgerError ID_DOUBLED."""
        seen: set[str] = set()
        for participant in self.participants:
            if participant.version_id in seen:
                raise LedgerError("ID_DOUBLED", {"what": "dataset version", "id": participant.version_id})
            seen.add(participant.version_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRound(NewTrainingRound):
    """A round on the ledger, key `round/{session}/{number}`."""

    recorded_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.round/1",))] = "consentry.round/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedSession(Record):
    """Argument of `training:finish`: how the session ended."""

    session_id: Annotated[str, identifier("session")]
    state: Annotated[str, Choice(END_STATES)]
