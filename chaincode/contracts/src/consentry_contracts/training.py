"""Contract `training`: sessions under permits, and their rounds."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.model import Model
from consentry_records.record import field_names
from consentry_records.settings import Settings
from consentry_records.training import (
    STARTED,
    FinishedSession,
    NewTrainingRound,
    NewTrainingSession,
    TrainingRound,
    TrainingSession,
)
from fabric_shim import Context, evaluation, transaction

from .actors import Actor, member
from .ledger_contract import LedgerContract, check_follows, check_identifier, emit, proposal_instant
from .permits import check_grants_still_hold, permit_keys, permits_of
from .state import Snapshot, put, read


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
        emit(ctx, events.TRAINING_STARTED, session_id=session.session_id, model_id=session.model_id)

    @transaction
    async def record_round(self, ctx: Context, training_round: NewTrainingRound) -> None:
        """Record a round of the caller's running session, in order from 1.

        Raises SESSION_NOT_FOUND, NOT_OWNER, SESSION_NOT_RUNNING, ROUND_EXISTS, ROUND_NOT_NEXT,
        ROUND_VERSION_NOT_IN_SESSION, ORGANIZATION_UNKNOWN.
        """
        session_id, number = training_round.session_id, training_round.number
        key, previous_key = (
            keys.training_round(session_id, number),
            keys.training_round(session_id, number - 1),
        )
        state = await read(ctx, keys.SETTINGS, keys.session(session_id), key, previous_key)
        settings, recorded_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        session = _running_session(state, session_id, actor)
        if session.trainer != actor.enrolment_id:
            raise LedgerError("NOT_OWNER", {"what": "training session", "id": session_id})
        state.check_absent(key, LedgerError("ROUND_EXISTS", {"session_id": session_id, "number": number}))
        if number > 1 and state.text(previous_key) is None:
            raise LedgerError("ROUND_NOT_NEXT", {"session_id": session_id, "expected": number - 1})
        _check_participants(training_round, session, settings)
        check_follows(recorded_at, session.started_at, settings)
        fields = {name: getattr(training_round, name) for name in field_names(NewTrainingRound)}
        await put(ctx, key, TrainingRound(**fields, recorded_at=recorded_at))
        emit(ctx, events.ROUND_RECORDED, session_id=session_id, number=number)

    @transaction
    async def finish(self, ctx: Context, finish: FinishedSession) -> None:
        """End a running session of the caller's organization, so that a colleague can end one whose trainer
        vanished.

        Raises SESSION_NOT_FOUND, NOT_OWNER, SESSION_NOT_RUNNING, PROPOSAL_TIME_TOO_EARLY.
        """
        key = keys.session(finish.session_id)
        state = await read(ctx, keys.SETTINGS, key)
        settings, ended_at = state.settings(), proposal_instant(ctx)
        session = _running_session(state, finish.session_id, member(ctx, settings))
        check_follows(ended_at, session.started_at, settings)
        await put(ctx, key, replace(session, state=finish.state, ended_at=ended_at))
        emit(ctx, events.TRAINING_FINISHED, session_id=finish.session_id, state=finish.state)

    @evaluation
    async def get(self, ctx: Context, session_id: str) -> TrainingSession:
        """A training session; raises SESSION_NOT_FOUND."""
        check_identifier("session_id", "session", session_id)
        key = keys.session(session_id)
        missing = LedgerError("SESSION_NOT_FOUND", {"session_id": session_id})
        return (await read(ctx, key)).required(TrainingSession, key, missing)


def _running_session(state: Snapshot, session_id: str, actor: Actor) -> TrainingSession:
    named = {"session_id": session_id}
    missing = LedgerError("SESSION_NOT_FOUND", named)
    session = state.required(TrainingSession, keys.session(session_id), missing)
    if session.msp != actor.msp_id:
        raise LedgerError("NOT_OWNER", {"what": "training session", "id": session_id})
    if session.state != STARTED:
        raise LedgerError("SESSION_NOT_RUNNING", named)
    return session


def _check_participants(
    training_round: NewTrainingRound, session: TrainingSession, settings: Settings
) -> None:
    for participant in training_round.participants:
        if participant.version_id not in session.versions:
            raise LedgerError("ROUND_VERSION_NOT_IN_SESSION", {"version_id": participant.version_id})
        if settings.kind_of(participant.msp) is None:
            raise LedgerError("ORGANIZATION_UNKNOWN", {"msp_id": participant.msp})
