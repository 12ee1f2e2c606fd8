"""Contract `training`: sessions under permits, and their rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.model import Model
from consentry_records.record import field_names
from consentry_records.settings import Settings
from consentry_records.training import (
    STARTED,
    FinishedSession,
    NewTrainingRound,
    NewTrainingRounds,
    NewTrainingSession,
    TrainingRound,
    TrainingSession,
)
from consentry_records.training_statement import SignedTrainingStatement
from fabric_shim import Context, evaluation, transaction

from . import training_usage
from .actors import Actor, member
from .ledger_contract import LedgerContract, check_follows, check_identifier, emit, proposal_instant
from .permits import check_grants_still_hold, permit_keys, permits_of
from .state import Snapshot, put, read
from .training_statements import check_signature, check_statement, recorded_statement, statement_key
from .training_usage import finished


class Training(LedgerContract):
    """Functions `training:…`."""

    name = "training"

    @transaction
    async def start(self, ctx: Context, session: NewTrainingSession) -> None:
        """Start a session of the caller's own model under permits that hold now.

        Raises SESSION_EXISTS, MODEL_NOT_FOUND, NOT_OWNER, and what `permits` raises.
        """
        key, model_key = keys.session(session.session_id), keys.model(session.model_id)
        state = await read(ctx, keys.SETTINGS, key, model_key, *permit_keys(session))
        settings, started_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        state.check_absent(key, LedgerError("SESSION_EXISTS", {"session_id": session.session_id}))
        model = state.required(
            Model, model_key, LedgerError("MODEL_NOT_FOUND", {"model_id": session.model_id})
        )
        if model.owner != actor.msp_id:
            raise LedgerError("NOT_OWNER", {"what": "model", "id": model.model_id})
        permits = permits_of(state, session, actor, settings, started_at)
        await check_grants_still_hold(ctx, permits, settings, started_at)
        record = TrainingSession(
            **{name: getattr(session, name) for name in field_names(NewTrainingSession)},
            msp=actor.msp_id,
            trainer=actor.enrolment_id,
            versions=tuple(dict.fromkeys(attempt.version_id for attempt, _ in permits)),
            started_at=started_at,
            state=STARTED,
            ended_at=None,
        )
        await put(ctx, key, record)
        for version_id in record.versions:
            index_key = keys.composite(keys.SESSIONS_OF_VERSION, version_id, record.session_id)
            await ctx.stub.put_state(index_key, record.session_id.encode("ascii"))
        emit(ctx, events.TRAINING_STARTED, session_id=session.session_id, model_id=session.model_id)

    @transaction
    async def record_round(self, ctx: Context, training_round: NewTrainingRound) -> None:
        """Record a round of the caller's running session, in order from 1.

        Raises SESSION_NOT_FOUND, NOT_OWNER, SESSION_NOT_RUNNING, ROUND_EXISTS, ROUND_NOT_NEXT,
        ROUND_VERSION_NOT_IN_SESSION, ORGANIZATION_UNKNOWN.
        """
        await _record_rounds(ctx, (training_round,))
        session_id, number = training_round.session_id, training_round.number
        emit(ctx, events.ROUND_RECORDED, session_id=session_id, number=number)

    @transaction
    async def record_rounds(self, ctx: Context, batch: NewTrainingRounds) -> None:
        """Record rounds of the caller's running session that follow one another; all of them, or none.

        Raises what `record_round` raises.
        """
        await _record_rounds(ctx, batch.rounds)
        first = batch.rounds[0]
        emit(
            ctx,
            events.ROUNDS_RECORDED,
            session_id=first.session_id,
            number=first.number,
            count=len(batch.rounds),
        )

    @transaction
    async def finish(self, ctx: Context, finish: FinishedSession) -> None:
        """End a running session of the caller's organization, so that a colleague can end one whose trainer
        vanished.

        Raises SESSION_NOT_FOUND, NOT_OWNER, SESSION_NOT_RUNNING, USED_VERSION_NOT_IN_SESSION,
        PROPOSAL_TIME_TOO_EARLY.
        """
        key = keys.session(finish.session_id)
        state = await read(ctx, keys.SETTINGS, key)
        settings, ended_at = state.settings(), proposal_instant(ctx)
        session = _running_session(state, finish.session_id, member(ctx, settings))
        check_follows(ended_at, session.started_at, settings)
        ended = finished(session, finish, ended_at)
        await put(ctx, key, ended)
        emit(ctx, events.TRAINING_FINISHED, session_id=finish.session_id, state=finish.state)

    @transaction
    async def record_statement(self, ctx: Context, signed: SignedTrainingStatement) -> None:
        """Record what the trainer stated while the ledger could not be reached: a round, or the end, of his
        running session, with the time that he claims. Rules use the proposal's time alone.

        Raises STATEMENT_EXISTS, STATEMENT_SIGNATURE_INVALID, STATEMENT_TIME_INVALID, and what
        `record_round` and `finish` raise.
        """
        statement = signed.statement
        key, session_key = statement_key(statement), keys.session(statement.session_id)
        round_keys: tuple[str, ...] = ()
        if statement.round is not None:
            round_key = keys.training_round(statement.session_id, statement.round.number)
            round_keys = (round_key, _key_before(statement.round))
        state = await read(ctx, keys.SETTINGS, session_key, key, *round_keys)
        settings, recorded_at = state.settings(), proposal_instant(ctx)
        session = _own_running_session(state, statement.session_id, member(ctx, settings))
        check_follows(recorded_at, session.started_at, settings)
        check_statement(state, signed, session, settings, recorded_at)
        check_signature(ctx, signed)
        if statement.round is not None:
            _check_next(state, statement.round)
            recorded = _new_round(state, statement.round, session, settings, recorded_at)
            await put(ctx, keys.training_round(statement.session_id, recorded.number), recorded)
        elif statement.end is not None:
            await put(ctx, session_key, finished(session, statement.end, recorded_at))
        await put(ctx, key, recorded_statement(signed, recorded_at))
        emit(
            ctx,
            events.STATEMENT_RECORDED,
            session_id=statement.session_id,
            sequence=statement.sequence,
        )

    @evaluation
    async def usage(self, ctx: Context, session_id: str) -> dict[str, Any]:
        """What a session used against what it was granted, see `training_usage`; SESSION_NOT_FOUND."""
        check_identifier("session_id", "session", session_id)
        return await training_usage.usage(ctx, session_id)

    @evaluation
    async def get(self, ctx: Context, session_id: str) -> TrainingSession:
        """A training session; raises SESSION_NOT_FOUND."""
        check_identifier("session_id", "session", session_id)
        key = keys.session(session_id)
        missing = LedgerError("SESSION_NOT_FOUND", {"session_id": session_id})
        return (await read(ctx, key)).required(TrainingSession, key, missing)


async def _record_rounds(ctx: Context, rounds: Sequence[NewTrainingRound]) -> None:
    session_id = rounds[0].session_id
    round_keys = [keys.training_round(session_id, each.number) for each in rounds]
    state = await read(ctx, keys.SETTINGS, keys.session(session_id), _key_before(rounds[0]), *round_keys)
    settings, recorded_at = state.settings(), proposal_instant(ctx)
    session = _own_running_session(state, session_id, member(ctx, settings))
    check_follows(recorded_at, session.started_at, settings)
    _check_next(state, rounds[0])
    for key, each in zip(round_keys, rounds, strict=True):
        await put(ctx, key, _new_round(state, each, session, settings, recorded_at))


def _running_session(state: Snapshot, session_id: str, actor: Actor) -> TrainingSession:
    named = {"session_id": session_id}
    missing = LedgerError("SESSION_NOT_FOUND", named)
    session = state.required(TrainingSession, keys.session(session_id), missing)
    if session.msp != actor.msp_id:
        raise LedgerError("NOT_OWNER", {"what": "training session", "id": session_id})
    if session.state != STARTED:
        raise LedgerError("SESSION_NOT_RUNNING", named)
    return session


def _own_running_session(state: Snapshot, session_id: str, actor: Actor) -> TrainingSession:
    session = _running_session(state, session_id, actor)
    if session.trainer != actor.enrolment_id:
        raise LedgerError("NOT_OWNER", {"what": "training session", "id": session_id})
    return session


def _key_before(training_round: NewTrainingRound) -> str:
    """The key of the round before."""
    return keys.training_round(training_round.session_id, training_round.number - 1)


def _check_next(state: Snapshot, training_round: NewTrainingRound) -> None:
    """A round is new, and the one before it is on the ledger."""
    _check_new(state, training_round)
    if training_round.number > 1 and state.text(_key_before(training_round)) is None:
        raise LedgerError(
            "ROUND_NOT_NEXT",
            {"session_id": training_round.session_id, "expected": training_round.number - 1},
        )


def _check_new(state: Snapshot, training_round: NewTrainingRound) -> None:
    session_id, number = training_round.session_id, training_round.number
    exists = LedgerError("ROUND_EXISTS", {"session_id": session_id, "number": number})
    state.check_absent(keys.training_round(session_id, number), exists)


def _new_round(
    state: Snapshot,
    training_round: NewTrainingRound,
    session: TrainingSession,
    settings: Settings,
    recorded_at: str,
) -> TrainingRound:
    _check_new(state, training_round)
    _check_participants(training_round, session, settings)
    fields = {name: getattr(training_round, name) for name in field_names(NewTrainingRound)}
    return TrainingRound(**fields, recorded_at=recorded_at)


def _check_participants(
    training_round: NewTrainingRound, session: TrainingSession, settings: Settings
) -> None:
    for participant in training_round.participants:
        if participant.version_id not in session.versions:
            raise LedgerError("ROUND_VERSION_NOT_IN_SESSION", {"version_id": participant.version_id})
        if settings.kind_of(participant.msp) is None:
            raise LedgerError("ORGANIZATION_UNKNOWN", {"msp_id": participant.msp})
