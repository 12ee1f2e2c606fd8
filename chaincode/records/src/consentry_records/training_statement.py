"""What a trainer states about a session while the ledger cannot be reached, recorded later (AI Act Art. 12).

A statement is signed when it is made and travels in a proposal of its own once the ledger answers. Its
`claimed_time` is the trainer's word: rules use the proposal's time alone, reports show both.
"""

from __future__ import annotations

from dataclasses import dataclass
from re import compile as pattern
from typing import Annotated

from .kinds import DIGEST, INSTANT, Choice, Integer, Nullable, Text, identifier
from .record import Nested, Record
from .training import END_STATES, MAXIMUM_ROUNDS, FinishedSession, NewTrainingRound

MAXIMUM_STATEMENTS = 999_999
_LABEL = b"consentry/training-statement/1\x00"
_SIGNATURE = Text(pattern(r"(?:[0-9a-f]{2}){8,72}"), "a DER signature in lower-case hex")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrainingStatement(Record):
    """A round, or the end of a session with why and what was used, as its trainer states it.

    `sequence` counts his statements from 1.
    """

    session_id: Annotated[str, identifier("session")]
    sequence: Annotated[int, Integer(1, MAXIMUM_STATEMENTS)]
    claimed_time: Annotated[str, INSTANT]
    round: Annotated[NewTrainingRound | None, Nullable(Nested(NewTrainingRound))]
    end: Annotated[FinishedSession | None, Nullable(Nested(FinishedSession))]

    def signed_bytes(self) -> bytes:
        """What is signed: "consentry/training-statement/1", a zero byte, and the canonical JSON."""
        return _LABEL + self.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTrainingStatement(Record):
    """Argument of `training:record_statement`: the statement and its trainer's signature (ECDSA over
    SHA-256).
    """

    statement: Annotated[NewTrainingStatement, Nested(NewTrainingStatement)]
    signature: Annotated[str, _SIGNATURE]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatement(Record):
    """A statement on the ledger, key `statement/{session}/{sequence}`; what it states is in the record of its
    round or session. `recorded_at` is the proposal's time, `claimed_time` the trainer's word.
    """

    session_id: Annotated[str, identifier("session")]
    sequence: Annotated[int, Integer(1, MAXIMUM_STATEMENTS)]
    claimed_time: Annotated[str, INSTANT]
    round_number: Annotated[int | None, Nullable(Integer(1, MAXIMUM_ROUNDS))]
    end_state: Annotated[str | None, Nullable(Choice(END_STATES))]
    statement_digest: Annotated[str, DIGEST]
    signature: Annotated[str, _SIGNATURE]
    recorded_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.statement/1",))] = "consentry.statement/1"
