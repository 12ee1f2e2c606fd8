"""Stages of model versions: promotion, rollback, publication after the grants' moratoriums."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.access import AccessDecision
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant
from consentry_records.instants import shift
from consentry_records.model import Model, ModelVersion
from consentry_records.model_stage import (
    DEVELOPMENT,
    PRODUCTION,
    PUBLISHED,
    REPLACED,
    ROLLED_BACK,
    ModelStage,
    StageChange,
    check_transition,
)
from consentry_records.settings import Settings
from consentry_records.training import TrainingSession
from fabric_shim import Context

from .actors import Actor, member
from .ledger_contract import check_follows, emit, proposal_instant
from .lineage import ancestry, records_of
from .state import Snapshot, put, read


async def change(ctx: Context, step: StageChange) -> None:
    """Bring a model version into another stage, and the one that it replaces in production out of it."""
    version_key, stage_key = keys.model_version(step.model_version_id), keys.stage(step.model_version_id)
    state = await read(ctx, keys.SETTINGS, version_key, stage_key)
    settings, decided_at = state.settings(), proposal_instant(ctx)
    actor = member(ctx, settings)
    missing = LedgerError("MODEL_VERSION_NOT_FOUND", {"model_version_id": step.model_version_id})
    version = state.required(ModelVersion, version_key, missing)
    before = state.optional(ModelStage, stage_key)
    stage = before.stage if before is not None else DEVELOPMENT
    more = await read(ctx, keys.model(version.model_id), keys.production(version.model_id))
    _check_owner(more, version, actor)
    check_follows(decided_at, before.decided_at if before is not None else version.registered_at, settings)
    check_transition(stage, step.stage)
    if step.stage in (PRODUCTION, PUBLISHED) and actor.enrolment_id == version.registered_by:
        raise LedgerError("STAGE_DECIDER_IS_AUTHOR", {"model_version_id": step.model_version_id})
    if step.stage == PUBLISHED:
        await _check_moratoriums(ctx, version, settings, decided_at)
    record = ModelStage(
        model_version_id=step.model_version_id,
        model_id=version.model_id,
        stage=step.stage,
        previous_stage=stage,
        reasons=step.reasons,
        evidence_digest=step.evidence_digest,
        decided_by=actor.enrolment_id,
        decided_at=decided_at,
        revision=1 if before is None else before.revision + 1,
    )
    await _move_production(ctx, more.text(keys.production(version.model_id)), record)
    await put(ctx, stage_key, record)
    ids = {"model_version_id": step.model_version_id, "model_id": version.model_id}
    emit(ctx, events.STAGE_CHANGED, **ids, stage=step.stage)


async def _move_production(ctx: Context, current: str | None, record: ModelStage) -> None:
    """Keep `production/{model}` and the stage of the version that leaves production in step."""
    key = keys.production(record.model_id)
    if record.stage != PRODUCTION:
        if current == record.model_version_id:
            await ctx.stub.delete_state(key)
        return
    if current is not None:
        current_key = keys.stage(current)
        left = (await read(ctx, current_key)).required(
            ModelStage, current_key, LedgerError("MODEL_VERSION_NOT_FOUND", {"model_version_id": current})
        )
        after = ROLLED_BACK if record.previous_stage == REPLACED else REPLACED
        moved = replace(
            left,
            stage=after,
            previous_stage=left.stage,
            reasons=record.reasons,
            evidence_digest=record.evidence_digest,
            decided_by=record.decided_by,
            decided_at=record.decided_at,
            revision=left.revision + 1,
        )
        await put(ctx, current_key, moved)
    await ctx.stub.put_state(key, record.model_version_id.encode("ascii"))


def _check_owner(state: Snapshot, version: ModelVersion, actor: Actor) -> None:
    missing = LedgerError("MODEL_NOT_FOUND", {"model_id": version.model_id})
    if state.required(Model, keys.model(version.model_id), missing).owner != actor.msp_id:
        raise LedgerError("NOT_OWNER", {"what": "model", "id": version.model_id})


async def _check_moratoriums(ctx: Context, version: ModelVersion, settings: Settings, at: str) -> None:
    """Refuse publication before every grant behind the version allows it (DUO:0000024).

    What its parents learned is in it: their sessions count as its own do.
    """
    line = await ancestry(ctx, version.model_version_id)
    session_ids = [session_id for made in line for session_id in made.sessions]
    sessions = await records_of(ctx, TrainingSession, keys.session, session_ids)
    attempts = [attempt for session in sessions for attempt in session.attempts]
    decisions = await records_of(ctx, AccessDecision, keys.decision, attempts)
    grant_ids = [one.grant_id for one in decisions if one.grant_id is not None]
    for grant in await records_of(ctx, Grant, keys.grant, grant_ids):
        begins = grant.conditions.publication_not_before
        if begins is not None and shift(at, -settings.time_tolerance_ms) < begins:
            raise LedgerError("PUBLICATION_MORATORIUM", {"grant_id": grant.grant_id, "not_before": begins})
