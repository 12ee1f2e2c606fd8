"""Contract `grants`: requests, grants, and whatever changes a grant."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.grant import (
    LIFTED,
    REVOKED,
    SUSPENDED,
    Grant,
    GrantChange,
    NarrowedGrant,
    NewGrant,
    Suspension,
)
from consentry_records.grant_checks import check_grant_length, narrowed
from consentry_records.request import AccessRequest, NewAccessRequest
from consentry_records.review import ReviewPolicy, check_reviews
from fabric_shim import Context, evaluation, transaction

from . import granting
from .actors import check_custodian, member
from .ledger_contract import LedgerContract, check_follows, check_identifier, emit, proposal_instant
from .reviews import reviews_of
from .state import advance_epoch, put, put_owned, read
from .uses import close_uses


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
            granting.version_in(state, version_id)
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

        Raises GRANT_EXISTS, REQUEST_NOT_FOUND, GRANTER_IS_REQUESTER, VERSION_NOT_FOUND, NOT_CUSTODIAN,
        GRANT_VERSION_NOT_REQUESTED, GRANT_PURPOSE_NOT_REQUESTED, GRANT_PURPOSE_EXCLUDED,
        GRANT_RESTRICTION_DROPPED, GRANT_ETHICS_APPROVAL_MISSING, GRANT_DISEASE_NOT_REQUESTED,
        GRANT_PROJECT_MISSING, GRANT_COLUMNS_MISSING, GRANT_COLUMN_NOT_REQUESTED, GRANT_CONDITION_MISSING,
        GRANT_EXCLUDED_BY_TERMS, GRANT_TOO_LONG, GRANT_STARTS_TOO_EARLY, GRANT_ENDS_TOO_EARLY, REVIEWS_REJECT,
        REVIEWS_MISSING, REVIEW_ROLE_MISSING.
        """
        await granting.give(ctx, grant)

    @transaction
    async def change(self, ctx: Context, change: GrantChange) -> None:
        """Give a grant another end, within the duration that was asked for; an end in the past ends it.

        Raises GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED, GRANTER_IS_REQUESTER (for a later end),
        PERIOD_INVALID, GRANT_TOO_LONG.
        """
        grant = await _own_active_grant(ctx, change.grant_id)
        request = granting.request_in(await read(ctx, keys.request(grant.request_id)), grant.request_id)
        if change.not_after > grant.not_after:
            granting.check_not_own(ctx, request)
        check_grant_length(grant.not_before, change.not_after, request)
        changed = replace(grant, not_after=change.not_after, revision=grant.revision + 1)
        await _rewrite(ctx, changed, events.GRANT_CHANGED)

    @transaction
    async def renew(self, ctx: Context, renewal: GrantChange) -> None:
        """Let a grant hold on: its end moves to at most the duration that was asked for, counted from now.

        The reviews that the custodian demands have to stand now as they had to when it was granted. Raises
        GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED, GRANT_RENEWAL_NOT_LATER, GRANTER_IS_REQUESTER,
        GRANT_TOO_LONG, REVIEWS_REJECT, REVIEWS_MISSING, REVIEW_ROLE_MISSING.
        """
        grant = await _own_active_grant(ctx, renewal.grant_id)
        if renewal.not_after <= grant.not_after:
            raise LedgerError("GRANT_RENEWAL_NOT_LATER", {"not_after": grant.not_after})
        policy_key = keys.review_policy(grant.custodian)
        state = await read(ctx, keys.request(grant.request_id), policy_key)
        request = granting.request_in(state, grant.request_id)
        granting.check_not_own(ctx, request)
        check_grant_length(proposal_instant(ctx), renewal.not_after, request)
        reviews = await reviews_of(ctx, grant.request_id, grant.custodian)
        check_reviews(state.optional(ReviewPolicy, policy_key), reviews)
        renewed = replace(
            grant,
            not_after=renewal.not_after,
            renewals=grant.renewals + 1,
            revision=grant.revision + 1,
        )
        await _rewrite(ctx, renewed, events.GRANT_RENEWED)

    @transaction
    async def narrow(self, ctx: Context, narrower: NarrowedGrant) -> None:
        """Make a grant narrower in any of its fields; nothing can become wider.

        Raises GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED, GRANT_WIDENED, GRANT_PROJECT_MISSING,
        PERIOD_INVALID.
        """
        grant = await _own_active_grant(ctx, narrower.grant_id)
        changed = narrowed(grant, narrower)
        # Its index keys stay, those of versions that it gives up too: what was used under it rests on it.
        await close_uses(ctx, grant, changed)
        await _rewrite(ctx, changed, events.GRANT_NARROWED)

    @transaction
    async def revoke(self, ctx: Context, grant_id: str) -> None:
        """Revoke a grant; raises GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED."""
        check_identifier("grant_id", "grant", grant_id)
        grant = await _own_active_grant(ctx, grant_id)
        await _rewrite(ctx, replace(grant, state=REVOKED, revision=grant.revision + 1), events.GRANT_REVOKED)

    @transaction
    async def suspend(self, ctx: Context, grant_id: str) -> None:
        """Suspend a grant by a key of the regulators' own, which needs no custodian (DESIGN.md §9).

        Where there are several regulators, any of them may suspend; the peer of the one that did so first
        endorses it, for the key is under its policy. Raises GRANT_NOT_FOUND, GRANT_ALREADY_SUSPENDED.
        """
        check_identifier("grant_id", "grant", grant_id)
        key, named = keys.suspension(grant_id), {"grant_id": grant_id}
        state = await read(ctx, keys.SETTINGS, keys.grant(grant_id), key)
        settings = state.settings()
        actor = member(ctx, settings)
        grant = state.required(Grant, keys.grant(grant_id), LedgerError("GRANT_NOT_FOUND", named))
        before = state.optional(Suspension, key)
        if before is not None and before.state == SUSPENDED:
            raise LedgerError("GRANT_ALREADY_SUSPENDED", named)
        suspension = Suspension(
            grant_id=grant_id,
            regulator=actor.msp_id,
            suspended_by=actor.enrolment_id,
            suspended_at=proposal_instant(ctx),
        )
        if before is None:
            await put_owned(ctx, key, suspension, owner=actor.msp_id, settings=settings)
        else:
            check_follows(suspension.suspended_at, before.lifted_at or before.suspended_at, settings)
            await put(ctx, key, suspension)
        emit(ctx, events.GRANT_SUSPENDED, grant_id=grant_id, custodian=grant.custodian)

    @transaction
    async def lift_suspension(self, ctx: Context, grant_id: str) -> None:
        """Lift a suspension, as the regulator that suspended; raises GRANT_NOT_SUSPENDED, NOT_OWNER."""
        check_identifier("grant_id", "grant", grant_id)
        key, named = keys.suspension(grant_id), {"grant_id": grant_id}
        state = await read(ctx, keys.SETTINGS, keys.grant(grant_id), key)
        settings, lifted_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        grant = state.required(Grant, keys.grant(grant_id), LedgerError("GRANT_NOT_FOUND", named))
        suspension = state.required(Suspension, key, LedgerError("GRANT_NOT_SUSPENDED", named))
        if suspension.state != SUSPENDED:
            raise LedgerError("GRANT_NOT_SUSPENDED", named)
        if suspension.regulator != actor.msp_id:
            raise LedgerError("NOT_OWNER", {"what": "suspension of grant", "id": grant_id})
        check_follows(lifted_at, suspension.suspended_at, settings)
        await put(ctx, key, replace(suspension, state=LIFTED, lifted_at=lifted_at))
        emit(ctx, events.SUSPENSION_LIFTED, grant_id=grant_id, custodian=grant.custodian)

    @evaluation
    async def get(self, ctx: Context, grant_id: str) -> Grant:
        """A grant as it was last written; raises GRANT_NOT_FOUND."""
        check_identifier("grant_id", "grant", grant_id)
        key = keys.grant(grant_id)
        return (await read(ctx, key)).required(
            Grant, key, LedgerError("GRANT_NOT_FOUND", {"grant_id": grant_id})
        )

    @evaluation
    async def get_suspension(self, ctx: Context, grant_id: str) -> Suspension | None:
        """A regulator's suspension of a grant, in force or lifted; null where there never was one."""
        check_identifier("grant_id", "grant", grant_id)
        key = keys.suspension(grant_id)
        return (await read(ctx, key)).optional(Suspension, key)

    @evaluation
    async def get_request(self, ctx: Context, request_id: str) -> AccessRequest:
        """A request for access; raises REQUEST_NOT_FOUND."""
        check_identifier("request_id", "request", request_id)
        return granting.request_in(await read(ctx, keys.request(request_id)), request_id)


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
