"""Training sessions and their rounds (AI Act Art. 12 and Annex IV: which data, code and parameters made a
model).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

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
from .migrations import adding
from .record import Migration, Nested, Record
from .vocabulary import PURPOSES

STARTED = "started"
COMPLETED = "completed"
FAILED = "failed"
ABORTED = "aborted"
END_STATES = (COMPLETED, FAILED, ABORTED)
FAILURES: Mapping[str, str] = MappingProxyType(
    {
        "PROGRAM_ERROR": "the program ended with an error",
        "INTERRUPTED": "somebody interrupted it",
        "PROCESS_LOST": "its process ended without a word",
        "NOT_CONVERGED": "it did not converge",
        "PARTICIPANT_LOST": "a participant could not be reached",
        "CONSENT_WITHDRAWN": "consents were withdrawn meanwhile",
        "GRANT_ENDED": "a grant ended meanwhile",
    }
)
"""Why a session failed or was aborted."""
MAXIMUM_ATTEMPTS = 64
MAXIMUM_PARTICIPANTS = 64
MAXIMUM_METRICS = 32
MAXIMUM_ROUNDS = 999_999
MAXIMUM_ROUND_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedVersion(Record):
    """How many rows of a dataset version a session used."""

    version_id: Annotated[str, identifier("version")]
    rows: Annotated[int, Integer(0, 10**12)]


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
    for, `failure` why it failed or was aborted, `used` what it used in the end.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.session/1": adding("consentry.session/2", {"failure": None, "used": []})}
    )

    msp: Annotated[str, MSP_ID]
    trainer: Annotated[str, ACTOR]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_ATTEMPTS)]
    started_at: Annotated[str, INSTANT]
    state: Annotated[str, Choice((STARTED, *END_STATES))]
    ended_at: Annotated[str | None, Nullable(INSTANT)]
    failure: Annotated[str | None, Nullable(Choice(FAILURES))] = None
    used: Annotated[tuple[UsedVersion, ...], Many(Nested(UsedVersion), 0, MAXIMUM_ATTEMPTS)] = ()
    schema: Annotated[str, Choice(("consentry.session/2",))] = "consentry.session/2"


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
class NewTrainingRounds(Record):
    """Argument of `training:record_rounds`: rounds of one session that follow one another."""

    rounds: Annotated[tuple[NewTrainingRound, ...], Many(Nested(NewTrainingRound), 1, MAXIMUM_ROUND_BATCH)]

    def check(self) -> None:
        """One session, each round after the one before it; raises LedgerError ROUNDS_NOT_IN_ORDER."""
        first = self.rounds[0]
        for place, training_round in enumerate(self.rounds):
            if (training_round.session_id, training_round.number) != (
                first.session_id,
                first.number + place,
            ):
                raise LedgerError("ROUNDS_NOT_IN_ORDER", {"session_id": first.session_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRound(NewTrainingRound):
    """A round on the ledger, key `round/{session}/{number}`."""

    recorded_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.round/1",))] = "consentry.round/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedSession(Record):
    """Argument of `training:finish`: how the session ended, why if not well, and what was used in the end."""

    session_id: Annotated[str, identifier("session")]
    state: Annotated[str, Choice(END_STATES)]
    failure: Annotated[str | None, Nullable(Choice(FAILURES))] = None
    used: Annotated[tuple[UsedVersion, ...], Many(Nested(UsedVersion), 0, MAXIMUM_ATTEMPTS)] = ()

    def check(self) -> None:
        """A completed session has no failure, no version comes twice: FAILURE_UNFOUNDED, ID_DOUBLED."""
        if self.failure is not None and self.state == COMPLETED:
            raise LedgerError("FAILURE_UNFOUNDED")
        seen: set[str] = set()
        for used in self.used:
            if used.version_id in seen:
                raise LedgerError("ID_DOUBLED", {"what": "dataset version", "id": used.version_id})
            seen.add(used.version_id)
