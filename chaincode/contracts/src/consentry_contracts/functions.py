"""Contract `functions`: what may come to the data, registered by digest and approved by each custodian."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consentry_records import events, keys
from consentry_records.dataset import DatasetVersion
from consentry_records.errors import LedgerError
from consentry_records.function import (
    APPROVED,
    REVOKED,
    Function,
    FunctionApproval,
    FunctionName,
    NewFunction,
    NewFunctionApproval,
)
from consentry_records.record import field_names
from consentry_records.settings import HOSPITAL
from fabric_shim import Context, evaluation, transaction

from .actors import Actor, check_custodian, member
from .ledger_contract import LedgerContract, check_follows, emit, proposal_instant
from .state import Snapshot, advance_epoch, put, put_owned, read


class Functions(LedgerContract):
    """Functions `functions:…`."""

    name = "functions"

    @transaction
    async def register(self, ctx: Context, function: NewFunction) -> None:
        """Register a function of the caller's organization, with all that it gives out; raises
        FUNCTION_EXISTS.
        """
        key = keys.function(ctx.caller.msp_id, function.code_digest)
        state = await read(ctx, keys.SETTINGS, key)
        actor = member(ctx, state.settings())
        named = {"owner": actor.msp_id, "code_digest": function.code_digest}
        state.check_absent(key, LedgerError("FUNCTION_EXISTS", named))
        made = Function(
            **{name: getattr(function, name) for name in field_names(NewFunction)},
            owner=actor.msp_id,
            registered_by=actor.enrolment_id,
            registered_at=proposal_instant(ctx),
        )
        await put(ctx, key, made)
        emit(ctx, events.FUNCTION_REGISTERED, **named)

    @transaction
    async def approve(self, ctx: Context, approval: NewFunctionApproval) -> None:
        """Approve a registered function for versions of the caller's own; replaces the approval before.

        Raises FUNCTION_NOT_FOUND, VERSION_NOT_FOUND, NOT_CUSTODIAN, FUNCTION_APPROVAL_REVISION_DIFFERS,
        PROPOSAL_TIME_TOO_EARLY.
        """
        function_key = keys.function(approval.owner, approval.code_digest)
        key = keys.function_approval(ctx.caller.msp_id, approval.owner, approval.code_digest)
        version_keys = [keys.version(version_id) for version_id in approval.versions]
        state = await read(ctx, keys.SETTINGS, function_key, key, *version_keys)
        settings, changed_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        named = {"owner": approval.owner, "code_digest": approval.code_digest}
        function = state.required(Function, function_key, LedgerError("FUNCTION_NOT_FOUND", named))
        check_follows(changed_at, function.registered_at, settings)
        _check_versions(state, approval, actor)
        before = state.optional(FunctionApproval, key)
        expected = 1 if before is None else before.revision + 1
        if approval.revision != expected:
            fields: dict[str, str | int] = {"code_digest": approval.code_digest, "expected": expected}
            raise LedgerError("FUNCTION_APPROVAL_REVISION_DIFFERS", fields)
        made = FunctionApproval(
            **{name: getattr(approval, name) for name in field_names(NewFunctionApproval)},
            custodian=actor.msp_id,
            state=APPROVED,
            changed_by=actor.enrolment_id,
            changed_at=changed_at,
        )
        if before is None:
            await put_owned(ctx, key, made, owner=actor.msp_id, settings=settings)
        else:
            await put(ctx, key, made)
        await _changed(ctx, made)

    @transaction
    async def revoke(self, ctx: Context, function: FunctionName) -> None:
        """Revoke the caller's approval of a function; runs of it are stopped.

        Raises FUNCTION_APPROVAL_NOT_IN_FORCE, PROPOSAL_TIME_TOO_EARLY.
        """
        key = keys.function_approval(ctx.caller.msp_id, function.owner, function.code_digest)
        state = await read(ctx, keys.SETTINGS, key)
        settings, changed_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        lacking = LedgerError("FUNCTION_APPROVAL_NOT_IN_FORCE", {"code_digest": function.code_digest})
        before = state.required(FunctionApproval, key, lacking)
        if before.state != APPROVED:
            raise lacking
        check_follows(changed_at, before.changed_at, settings)
        after = replace(before, state=REVOKED, changed_by=actor.enrolment_id, changed_at=changed_at)
        await put(ctx, key, after)
        await _changed(ctx, after)

    @evaluation
    async def get(self, ctx: Context, function: FunctionName) -> dict[str, Any]:
        """{"function": Function, "approvals": [FunctionApproval, …] of all custodians}; raises
        FUNCTION_NOT_FOUND.
        """
        key = keys.function(function.owner, function.code_digest)
        state = await read(ctx, keys.SETTINGS, key)
        settings = state.settings()
        missing = LedgerError("FUNCTION_NOT_FOUND", dict(function.to_dict()))
        found = state.required(Function, key, missing)
        approval_keys = [
            keys.function_approval(msp_id, function.owner, function.code_digest)
            for msp_id in settings.msp_ids
            if settings.kind_of(msp_id) == HOSPITAL
        ]
        state = await read(ctx, *approval_keys)
        approvals = [state.optional(FunctionApproval, one) for one in approval_keys]
        return {
            "function": found.to_dict(),
            "approvals": [approval.to_dict() for approval in approvals if approval is not None],
        }


def _check_versions(state: Snapshot, approval: NewFunctionApproval, actor: Actor) -> None:
    for version_id in approval.versions:
        missing = LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
        version = state.required(DatasetVersion, keys.version(version_id), missing)
        check_custodian(actor, version.custodian)


async def _changed(ctx: Context, approval: FunctionApproval) -> None:
    """Void decisions that are under way: they were made on what held before."""
    await advance_epoch(ctx, approval.custodian)
    emit(
        ctx,
        events.FUNCTION_APPROVAL_CHANGED,
        custodian=approval.custodian,
        owner=approval.owner,
        code_digest=approval.code_digest,
        revision=approval.revision,
        state=approval.state,
    )
