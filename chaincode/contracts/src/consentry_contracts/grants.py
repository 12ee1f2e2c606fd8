"""Contract `grants`: requests, grants, their change, revocation and suspension."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.dataset import DatasetVersion
from consentry_records.errors import LedgerError
from consentry_records.grant import (
    REVOKED,
    AccessRequest,
    Grant,
    GrantChange,
    NewAccessRequest,
    NewGrant,
    Suspension,
    check_grant_answers_request,
    check_grant_length,
)
from consentry_records.instants import shift
from consentry_records.settings import Settings
from consentry_records.vocabulary import terms_cover
from fabric_shim import Context, evaluation, transaction

from .actors import Actor, check_custodian, member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import Snapshot, advance_epoch, put, put_owned, read


class Grants(LedgerContract):
    """Functions `grants:…`."""

    name = "grants"

    @transaction
    async def request(self, ctx: Context, request: NewAccessRequest) -> None:
        """Ask the custodians of dataset versions for access; raises REQUEST_EXISTS, VERSION_NOT_FOUND."""
        key = keys.request(request.request_id)
        state = await read(
            ctx, keys.SETTINGS, key, *(keys.version(version_id) for version_id in request.versions)
        )
        actor = member(ctx, state.settings())
        state.check_absent(key, LedgerError("REQUEST_EXISTS", {"request_id": request.request_id}))
        for version_id in request.versions:
            _version(state, version_id)
        record = AccessRequest.requested(
            request,
            requester_msp=actor.msp_id,
            requester=actor.enrolment_id,
            requested_at=proposal_instant(ctx),
        )
        await put(ctx, key, record)
        emit(ctx, events.ACCESS_REQUESTED, request_id=request.request_id, requester_msp=actor.msp_id)

    @transaction
    async def grant(self, ctx: Context, grant: NewGrant) -> None:
        """Grant the requester's organization access to versions of the caller's own.

        Raises GRANT_EXISTS, REQUEST_NOT_FOUND, VERSION_NOT_FOUND, NOT_CUSTODIAN, GRANT_VERSION_NOT_REQUESTED,
        GRANT_PURPOSE_NOT_REQUESTED, GRANT_PURPOSE_EXCLUDED, GRANT_RESTRICTION_DROPPED,
        GRANT_ETHICS_APPROVAL_MISSING, GRANT_TOO_LONG, GRANT_STARTS_TOO_EARLY, GRANT_ENDS_TOO_EARLY.
        """
        key, request_key = keys.grant(grant.grant_id), keys.request(grant.request_id)
        version_keys = [keys.version(version_id) for version_id in grant.versions]
        state = await read(ctx, keys.SETTINGS, key, request_key, *version_keys)
        settings = state.settings()
        actor = member(ctx, settings)
        state.check_absent(key, LedgerError("GRANT_EXISTS", {"grant_id": grant.grant_id}))
        request = _request(state, grant.request_id)
        check_grant_answers_request(grant, request)
        check_grant_length(grant.not_before, grant.not_after, request)
        _check_versions(state, actor, grant)
        _check_period(grant, proposal_instant(ctx), settings)
        record = Grant.granted(grant, request, custodian=actor.msp_id)
        await put_owned(ctx, key, record, owner=actor.msp_id, settings=settings)
        for version_id in grant.versions:
            index_key = keys.grant_index(version_id, record.grantee, grant.grant_id)
            await ctx.stub.put_state(index_key, grant.grant_id.encode("ascii"))
        emit(
            ctx,
            events.ACCESS_GRANTED,
            grant_id=grant.grant_id,
            request_id=grant.request_id,
            custodian=actor.msp_id,
            grantee=record.grantee,
        )

    @transaction
    async def change(self, ctx: Context, change: GrantChange) -> None:
        """Give a grant another end, within the duration that was asked for; an end in the past ends it.

        Raises GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED, PERIOD_INVALID, GRANT_TOO_LONG.
        """
        grant = await _own_active_grant(ctx, change.grant_id)
        request = _request(await read(ctx, keys.request(grant.request_id)), grant.request_id)
        check_grant_length(grant.not_before, change.not_after, request)
        changed = replace(grant, not_after=change.not_after, revision=grant.revision + 1)
        await _rewrite(ctx, changed, events.GRANT_CHANGED)

    @transaction
    async def revoke(self, ctx: Context, grant_id: str) -> None:
        """Revoke a grant; raises GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED."""
        check_identifier("grant_id", "grant", grant_id)
        grant = await _own_active_grant(ctx, grant_id)
        await _rewrite(ctx, replace(grant, state=REVOKED, revision=grant.revision + 1), events.GRANT_REVOKED)

    @transaction
    async def suspend(self, ctx: Context, grant_id: str) -> None:
        """Suspend a grant by a key of the regulator's own, which needs no custodian (DESIGN.md §9).

        Raises GRANT_NOT_FOUND, GRANT_ALREADY_SUSPENDED.
        """
        check_identifier("grant_id", "grant", grant_id)
        key, named = keys.suspension(grant_id), {"grant_id": grant_id}
        state = await read(ctx, keys.SETTINGS, keys.grant(grant_id), key)
        settings = state.settings()
        actor = member(ctx, settings)
        grant = state.required(Grant, keys.grant(grant_id), LedgerError("GRANT_NOT_FOUND", named))
        state.check_absent(key, LedgerError("GRANT_ALREADY_SUSPENDED", named))
        suspension = Suspension(
            grant_id=grant_id,
            regulator=actor.msp_id,
            suspended_by=actor.enrolment_id,
            suspended_at=proposal_instant(ctx),
        )
        await put_owned(ctx, key, suspension, owner=actor.msp_id, settings=settings)
        emit(ctx, events.GRANT_SUSPENDED, grant_id=grant_id, custodian=grant.custodian)

    @evaluation
    async def get(self, ctx: Context, grant_id: str) -> Grant:
        """A grant as it was last written; raises GRANT_NOT_FOUND."""
        check_identifier("grant_id", "grant", grant_id)
        key = keys.grant(grant_id)
        return (await read(ctx, key)).required(
            Grant, key, LedgerError("GRANT_NOT_FOUND", {"grant_id": grant_id})
        )


def _version(state: Snapshot, version_id: str) -> DatasetVersion:
    missing = LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
    return state.required(DatasetVersion, keys.version(version_id), missing)


def _request(state: Snapshot, request_id: str) -> AccessRequest:
    missing = LedgerError("REQUEST_NOT_FOUND", {"request_id": request_id})
    return state.required(AccessRequest, keys.request(request_id), missing)


def _check_versions(state: Snapshot, actor: Actor, grant: NewGrant) -> None:
    for version_id in grant.versions:
        version = _version(state, version_id)
        check_custodian(actor, version.custodian)
        for purpose in grant.purposes:
            if not terms_cover(version.duo_terms, purpose):
                raise LedgerError("GRANT_PURPOSE_EXCLUDED", {"version_id": version_id, "purpose": purpose})


def _check_period(grant: NewGrant, proposal_time: str, settings: Settings) -> None:
    if grant.not_before < shift(proposal_time, -settings.time_tolerance_ms):
        raise LedgerError("GRANT_STARTS_TOO_EARLY", {"tolerance_ms": settings.time_tolerance_ms})
    if grant.not_after <= proposal_time:
        raise LedgerError("GRANT_ENDS_TOO_EARLY")


async def _own_active_grant(ctx: Context, grant_id: str) -> Grant:
    key, named = keys.grant(grant_id), {"grant_id": grant_id}
    state = await read(ctx, keys.SETTINGS, key)
    actor = member(ctx, state.settings())
    grant = state.required(Grant, key, LedgerError("GRANT_NOT_FOUND", named))
    check_custodian(actor, grant.custodian)
    if grant.state == REVOKED:
        raise LedgerError("GRANT_ALREADY_REVOKED", named)
    return grant


async def _rewrite(ctx: Context, grant: Grant, event: str) -> None:
    await put(ctx, keys.grant(grant.grant_id), grant)
    await advance_epoch(ctx, grant.custodian)
    emit(ctx, event, grant_id=grant.grant_id, custodian=grant.custodian, revision=grant.revision)
