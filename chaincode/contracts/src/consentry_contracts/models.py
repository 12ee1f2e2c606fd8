"""Contract `models`: models and their versions."""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.model import Model, ModelVersion, NewModel, NewModelVersion
from consentry_records.model_stage import ModelStage, StageChange
from consentry_records.record import field_names
from consentry_records.training import COMPLETED, STARTED, TrainingSession
from fabric_shim import Context, evaluation, transaction

from . import model_signatures, model_stages
from .actors import Actor, member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .lineage import listed, records_of
from .state import Snapshot, put, read


class Models(LedgerContract):
    """Functions `models:…`."""

    name = "models"

    @transaction
    async def register(self, ctx: Context, model: NewModel) -> None:
        """Register a model of the caller's organization; raises MODEL_EXISTS, MODEL_NAME_TAKEN."""
        key, name_key = keys.model(model.model_id), keys.model_name(ctx.caller.msp_id, model.name)
        state = await read(ctx, keys.SETTINGS, key, name_key)
        actor = member(ctx, state.settings())
        state.check_absent(key, LedgerError("MODEL_EXISTS", {"model_id": model.model_id}))
        holder = state.text(name_key)
        if holder is not None:
            raise LedgerError("MODEL_NAME_TAKEN", {"model_id": holder})
        record = Model(
            model_id=model.model_id, name=model.name, owner=actor.msp_id, registered_at=proposal_instant(ctx)
        )
        await put(ctx, key, record)
        await ctx.stub.put_state(name_key, model.model_id.encode("ascii"))
        emit(ctx, events.MODEL_REGISTERED, model_id=model.model_id)

    @transaction
    async def register_version(self, ctx: Context, version: NewModelVersion) -> None:
        """Register a version of the caller's own model, made in its own sessions.

        Raises MODEL_VERSION_EXISTS, MODEL_NOT_FOUND, NOT_OWNER, SESSION_NOT_FOUND, SESSION_NOT_USABLE,
        MODEL_VERSION_NOT_FOUND (for the parent), MODEL_PARENT_DIFFERS, MODEL_KEY_INVALID,
        MODEL_SIGNATURE_INVALID.
        """
        key, model_key = keys.model_version(version.model_version_id), keys.model(version.model_id)
        session_keys = [keys.session(session_id) for session_id in version.sessions]
        parent_keys = [] if version.parent is None else [keys.model_version(version.parent)]
        state = await read(ctx, keys.SETTINGS, key, model_key, *session_keys, *parent_keys)
        actor = member(ctx, state.settings())
        exists = LedgerError("MODEL_VERSION_EXISTS", {"model_version_id": version.model_version_id})
        state.check_absent(key, exists)
        model = state.required(
            Model, model_key, LedgerError("MODEL_NOT_FOUND", {"model_id": version.model_id})
        )
        if model.owner != actor.msp_id:
            raise LedgerError("NOT_OWNER", {"what": "model", "id": version.model_id})
        if version.signature is not None:
            model_signatures.verify(version.signature)
        _check_sessions(state, version, actor)
        _check_parent(state, version)
        record = ModelVersion(
            **{name: getattr(version, name) for name in field_names(NewModelVersion)},
            registered_at=proposal_instant(ctx),
            registered_by=actor.enrolment_id,
        )
        await put(ctx, key, record)
        for index_key in _index_keys(version):
            await ctx.stub.put_state(index_key, version.model_version_id.encode("ascii"))
        ids = {"model_version_id": version.model_version_id, "model_id": version.model_id}
        emit(ctx, events.MODEL_VERSION_REGISTERED, **ids)

    @transaction
    async def change_stage(self, ctx: Context, step: StageChange) -> None:
        """Bring a version of the own organization's model into another stage; a rollback is such a step too.

        Raises MODEL_VERSION_NOT_FOUND, NOT_OWNER, STAGE_NOT_REACHABLE, STAGE_DECIDER_IS_AUTHOR,
        PUBLICATION_MORATORIUM, PROPOSAL_TIME_TOO_EARLY.
        """
        await model_stages.change(ctx, step)

    @evaluation
    async def get_stage(self, ctx: Context, model_version_id: str) -> ModelStage | None:
        """A version's stage; null for one that is in development and always was."""
        check_identifier("model_version_id", "modelversion", model_version_id)
        key = keys.stage(model_version_id)
        return (await read(ctx, key)).optional(ModelStage, key)

    @evaluation
    async def versions(self, ctx: Context, model_id: str) -> list[ModelVersion]:
        """A model's versions in the order of their ids, at most 1000; raises MODEL_NOT_FOUND.

        Versions that were registered before the ledger kept this index are not among them.
        """
        check_identifier("model_id", "model", model_id)
        key, missing = keys.model(model_id), LedgerError("MODEL_NOT_FOUND", {"model_id": model_id})
        (await read(ctx, key)).required(Model, key, missing)
        found = ctx.stub.get_by_partial_composite_key(keys.MODEL_VERSIONS_OF_MODEL, [model_id])
        return await records_of(ctx, ModelVersion, keys.model_version, await listed(found))

    @evaluation
    async def get(self, ctx: Context, model_version_id: str) -> ModelVersion:
        """A model version; raises MODEL_VERSION_NOT_FOUND."""
        check_identifier("model_version_id", "modelversion", model_version_id)
        key = keys.model_version(model_version_id)
        missing = LedgerError("MODEL_VERSION_NOT_FOUND", {"model_version_id": model_version_id})
        return (await read(ctx, key)).required(ModelVersion, key, missing)


def _index_keys(version: NewModelVersion) -> list[str]:
    made = version.model_version_id
    found = [keys.composite(keys.MODEL_VERSIONS_OF_MODEL, version.model_id, made)]
    found += [keys.composite(keys.MODEL_VERSIONS_OF_SESSION, session, made) for session in version.sessions]
    if version.parent is not None:
        found.append(keys.composite(keys.MODEL_VERSIONS_OF_PARENT, version.parent, made))
    return found


def _check_sessions(state: Snapshot, version: NewModelVersion, actor: Actor) -> None:
    for session_id in version.sessions:
        named = {"session_id": session_id}
        missing = LedgerError("SESSION_NOT_FOUND", named)
        session = state.required(TrainingSession, keys.session(session_id), missing)
        if session.msp != actor.msp_id:
            raise LedgerError("NOT_OWNER", {"what": "training session", "id": session_id})
        if session.model_id != version.model_id or session.state not in (STARTED, COMPLETED):
            raise LedgerError("SESSION_NOT_USABLE", named)


def _check_parent(state: Snapshot, version: NewModelVersion) -> None:
    if version.parent is None:
        return
    missing = LedgerError("MODEL_VERSION_NOT_FOUND", {"model_version_id": version.parent})
    parent = state.required(ModelVersion, keys.model_version(version.parent), missing)
    if parent.model_id != version.model_id:
        raise LedgerError("MODEL_PARENT_DIFFERS", {"model_version_id": version.parent})
