"""Whether permits still hold when a training session starts (DESIGN.md §6: active, for that purpose, at the
start).
"""

from __future__ import annotations

from collections.abc import Sequence

from consentry_records import keys
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.dataset import DatasetVersion
from consentry_records.emergency import UNJUSTIFIED, EmergencyAccess
from consentry_records.errors import LedgerError
from consentry_records.function import FunctionApproval
from consentry_records.function_rules import function_refusals
from consentry_records.grant import Grant, Suspension
from consentry_records.grant_rules import Use, grant_refusals
from consentry_records.instants import shift
from consentry_records.reasons import Reason
from consentry_records.rules import is_suspended
from consentry_records.settings import Settings
from consentry_records.training import NewTrainingSession
from fabric_shim import Context

from .actors import Actor
from .ledger_contract import check_follows
from .state import Snapshot, read


def permit_keys(session: NewTrainingSession) -> list[str]:
    """The keys of the session's attempts and of the decisions on them."""
    attempts = [keys.attempt(attempt_id) for attempt_id in session.attempts]
    return attempts + [keys.decision(attempt_id) for attempt_id in session.attempts]


def permits_of(
    state: Snapshot, session: NewTrainingSession, actor: Actor, settings: Settings, at: str
) -> list[tuple[AccessAttempt, AccessDecision]]:
    """The session's attempts with their permits, each of this trainer, for this use, and not ended.

    Raises LedgerError ATTEMPT_NOT_FOUND, ATTEMPT_DIFFERS, SESSION_DIFFERS, ATTEMPT_UNDECIDED, ATTEMPT_DENIED,
    PERMIT_EXPIRED, PROPOSAL_TIME_TOO_EARLY.
    """
    permits = []
    for attempt_id in session.attempts:
        named = {"attempt_id": attempt_id}
        attempt = state.required(
            AccessAttempt, keys.attempt(attempt_id), LedgerError("ATTEMPT_NOT_FOUND", named)
        )
        made = (attempt.requester_msp, attempt.requester, attempt.purpose, attempt.commercial)
        if made != (actor.msp_id, actor.enrolment_id, session.purpose, session.commercial):
            raise LedgerError("ATTEMPT_DIFFERS", named)
        if attempt.session_id not in (None, session.session_id):
            raise LedgerError("SESSION_DIFFERS", named)
        undecided = LedgerError("ATTEMPT_UNDECIDED", named)
        decision = state.required(AccessDecision, keys.decision(attempt_id), undecided)
        if not decision.permits or decision.permit_not_after is None or decision.grant_id is None:
            raise LedgerError("ATTEMPT_DENIED", named)
        if shift(at, settings.time_tolerance_ms) >= decision.permit_not_after:
            raise LedgerError("PERMIT_EXPIRED", named)
        check_follows(at, decision.decided_at, settings)
        permits.append((attempt, decision))
    return permits


async def check_grants_still_hold(
    ctx: Context, permits: list[tuple[AccessAttempt, AccessDecision]], settings: Settings, at: str
) -> None:
    """Refuse permits whose grant was revoked, shortened or suspended since, or whose function is approved no
    more; raises LedgerError PERMIT_OVERTAKEN.
    """
    wanted = [
        key
        for attempt, decision in permits
        for key in (
            keys.version(attempt.version_id),
            keys.grant(decision.grant_id or ""),
            keys.suspension(decision.grant_id or ""),
        )
    ]
    state, approvals = await read(ctx, *wanted), await approvals_of(ctx, [attempt for attempt, _ in permits])
    for (attempt, decision), approval in zip(permits, approvals, strict=True):
        barred = function_refusals(attempt, approval, settings, at)
        if barred or _refusals(state, attempt, decision, settings, at):
            raise LedgerError("PERMIT_OVERTAKEN", {"attempt_id": attempt.attempt_id})


async def standing(
    ctx: Context, attempt: AccessAttempt, decision: AccessDecision, settings: Settings, at: str
) -> tuple[Reason, ...]:
    """Why the grant behind a permit does not allow the use any more at an instant; empty when it does.

    An emergency's permit rests on no grant, and falls with a review that finds it unjustified; that of a
    function rests on its custodian's approval too.
    """
    if decision.grant_id is None:
        return await _emergency_refusals(ctx, attempt.attempt_id)
    wanted = (keys.version(attempt.version_id), keys.grant(decision.grant_id))
    state = await read(ctx, *wanted, keys.suspension(decision.grant_id))
    (approval,) = await approvals_of(ctx, [attempt])
    barred = function_refusals(attempt, approval, settings, at)
    return (*barred, *_refusals(state, attempt, decision, settings, at))


async def approvals_of(ctx: Context, attempts: Sequence[AccessAttempt]) -> list[FunctionApproval | None]:
    """For each attempt its custodian's approval of its function; None where there is none, or no function."""
    wanted = [
        None
        if attempt.function_digest is None
        else keys.function_approval(attempt.custodian, attempt.requester_msp, attempt.function_digest)
        for attempt in attempts
    ]
    named = [key for key in wanted if key is not None]
    if not named:
        return [None] * len(wanted)
    state = await read(ctx, *named)
    return [None if key is None else state.optional(FunctionApproval, key) for key in wanted]


async def _emergency_refusals(ctx: Context, attempt_id: str) -> tuple[Reason, ...]:
    key = keys.emergency(attempt_id)
    access = (await read(ctx, key)).optional(EmergencyAccess, key)
    if access is None or access.state != UNJUSTIFIED:
        return ()
    return (Reason(code="EMERGENCY_UNJUSTIFIED", parameters={"attempt_id": attempt_id}),)


def _refusals(
    state: Snapshot, attempt: AccessAttempt, decision: AccessDecision, settings: Settings, at: str
) -> tuple[Reason, ...]:
    overtaken = LedgerError("PERMIT_OVERTAKEN", {"attempt_id": attempt.attempt_id})
    grant = state.required(Grant, keys.grant(decision.grant_id or ""), overtaken)
    version = state.required(DatasetVersion, keys.version(attempt.version_id), overtaken)
    suspension = state.optional(Suspension, keys.suspension(grant.grant_id))
    suspended = is_suspended(grant.grant_id, [suspension] if suspension is not None else [])
    use = Use.of(attempt, settings)
    if attempt.version_id not in grant.versions:
        fields = {"msp_id": attempt.requester_msp, "version_id": attempt.version_id}
        return (Reason(code="NO_GRANT", parameters=fields),)
    return grant_refusals(grant, version, use, suspended=suspended, settings=settings, at=at)
