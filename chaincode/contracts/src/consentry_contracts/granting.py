"""Giving a grant: what it is checked against, and what is written."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.dataset import DatasetVersion
from consentry_records.duo import MATCH_NO, Match, match, worst
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant, NewGrant
from consentry_records.grant_checks import (
    check_grant_answers_request,
    check_grant_length,
    check_grant_meets_terms,
)
from consentry_records.instants import shift
from consentry_records.request import AccessRequest
from consentry_records.review import ReviewPolicy, check_reviews
from consentry_records.settings import Settings
from consentry_records.vocabulary import terms_cover
from fabric_shim import Context

from .actors import Actor, actor_of, check_custodian, member
from .ledger_contract import emit, proposal_instant
from .reviews import reviews_of
from .state import Snapshot, put_owned, read


async def give(ctx: Context, grant: NewGrant) -> None:
    """Check a new grant against its request, the dataset versions, the reviews and the time, and write it."""
    key, request_key = keys.grant(grant.grant_id), keys.request(grant.request_id)
    version_keys = [keys.version(version_id) for version_id in grant.versions]
    policy_key = keys.review_policy(ctx.caller.msp_id)
    state = await read(ctx, keys.SETTINGS, key, request_key, policy_key, *version_keys)
    settings = state.settings()
    actor = member(ctx, settings)
    state.check_absent(key, LedgerError("GRANT_EXISTS", {"grant_id": grant.grant_id}))
    request = request_in(state, grant.request_id)
    check_not_own(ctx, request)
    check_grant_answers_request(grant, request)
    check_grant_length(grant.not_before, grant.not_after, request)
    matched = _check_versions(state, actor, grant, request)
    _check_period(grant, proposal_instant(ctx), settings)
    policy = state.optional(ReviewPolicy, policy_key)
    check_reviews(policy, await reviews_of(ctx, grant.request_id, actor.msp_id))
    record = Grant.granted(grant, request, custodian=actor.msp_id, match=matched)
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


def request_in(state: Snapshot, request_id: str) -> AccessRequest:
    """A request that was read; raises REQUEST_NOT_FOUND."""
    missing = LedgerError("REQUEST_NOT_FOUND", {"request_id": request_id})
    return state.required(AccessRequest, keys.request(request_id), missing)


def check_not_own(ctx: Context, request: AccessRequest) -> None:
    """Nobody gives himself access, whatever his roles; raises LedgerError GRANTER_IS_REQUESTER."""
    actor = actor_of(ctx)
    if (request.requester_msp, request.requester) == (actor.msp_id, actor.enrolment_id):
        raise LedgerError("GRANTER_IS_REQUESTER", {"request_id": request.request_id})


def version_in(state: Snapshot, version_id: str) -> DatasetVersion:
    """A dataset version that was read; raises VERSION_NOT_FOUND."""
    missing = LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
    return state.required(DatasetVersion, keys.version(version_id), missing)


def _check_versions(state: Snapshot, actor: Actor, grant: NewGrant, request: AccessRequest) -> str:
    """The versions are the caller's and their terms allow the grant; the worst match of the request."""
    matches: list[Match] = []
    for version_id in grant.versions:
        version = version_in(state, version_id)
        check_custodian(actor, version.custodian)
        for purpose in grant.purposes:
            if not terms_cover(version.duo_terms, purpose):
                raise LedgerError("GRANT_PURPOSE_EXCLUDED", {"version_id": version_id, "purpose": purpose})
        check_grant_meets_terms(grant, version)
        matches.append(_match(grant, request, version))
    return worst(matches)


def _match(grant: NewGrant, request: AccessRequest, version: DatasetVersion) -> Match:
    """Match what is granted of the request: a narrower purpose may fit where the one asked for did not."""
    granted = replace(request, purposes=grant.purposes, diseases=grant.diseases or request.diseases)
    found = match(granted, version)
    if found.outcome == MATCH_NO:
        fields = {"version_id": version.version_id, "reason": found.reasons[0].code}
        raise LedgerError("GRANT_EXCLUDED_BY_TERMS", fields)
    return found


def _check_period(grant: NewGrant, proposal_time: str, settings: Settings) -> None:
    if grant.not_before < shift(proposal_time, -settings.time_tolerance_ms):
        raise LedgerError("GRANT_STARTS_TOO_EARLY", {"tolerance_ms": settings.time_tolerance_ms})
    if grant.not_after <= proposal_time:
        raise LedgerError("GRANT_ENDS_TOO_EARLY")
