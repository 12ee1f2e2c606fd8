"""Statements that a trainer signed while the ledger could not be reached."""

from __future__ import annotations

from consentry_records import keys
from consentry_records.digest import sha256_digest
from consentry_records.errors import LedgerError, field_invalid
from consentry_records.instants import shift
from consentry_records.settings import Settings
from consentry_records.training import TrainingSession
from consentry_records.training_statement import (
    NewTrainingStatement,
    SignedTrainingStatement,
    TrainingStatement,
)
from fabric_shim import Context

from .state import Snapshot


def statement_key(statement: NewTrainingStatement) -> str:
    """Key of the statement's record."""
    return keys.training_statement(statement.session_id, statement.sequence)


def check_statement(
    state: Snapshot,
    signed: SignedTrainingStatement,
    session: TrainingSession,
    settings: Settings,
    recorded_at: str,
) -> None:
    """Refuse a number that is taken, and a claimed time before the session's start or after now.

    Raises LedgerError FIELD_INVALID (both or none of round and end, or those of another session),
    STATEMENT_EXISTS, STATEMENT_TIME_INVALID.
    """
    statement, tolerance = signed.statement, settings.time_tolerance_ms
    if (statement.round is None) == (statement.end is None):
        raise field_invalid("either a round or an end", statement.end).within("statement", "round")
    stated = statement.round or statement.end
    if stated is not None and stated.session_id != statement.session_id:
        raise field_invalid("a round or end of this session", statement.session_id).within(
            "statement", "round"
        )
    named: dict[str, str | int] = {"session_id": statement.session_id, "sequence": statement.sequence}
    state.check_absent(statement_key(statement), LedgerError("STATEMENT_EXISTS", named))
    claimed = statement.claimed_time
    if shift(claimed, tolerance) < session.started_at or claimed > shift(recorded_at, tolerance):
        raise LedgerError("STATEMENT_TIME_INVALID", {"claimed_time": claimed})


def check_signature(ctx: Context, signed: SignedTrainingStatement) -> None:
    """Refuse a signature that is not the caller's; raises LedgerError STATEMENT_SIGNATURE_INVALID."""
    if not ctx.caller.has_signed(signed.statement.signed_bytes(), bytes.fromhex(signed.signature)):
        raise LedgerError("STATEMENT_SIGNATURE_INVALID")


def recorded_statement(signed: SignedTrainingStatement, recorded_at: str) -> TrainingStatement:
    """The record of a statement."""
    statement = signed.statement
    return TrainingStatement(
        session_id=statement.session_id,
        sequence=statement.sequence,
        claimed_time=statement.claimed_time,
        round_number=statement.round.number if statement.round is not None else None,
        end_state=statement.end.state if statement.end is not None else None,
        statement_digest=sha256_digest(statement.signed_bytes()),
        signature=signed.signature,
        recorded_at=recorded_at,
    )
