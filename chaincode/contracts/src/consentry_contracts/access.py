"""Contract `access`: an attempt is committed first, the custodian's service decides on it (DESIGN.md §6)."""

from __future__ import annotations

from typing import Any

from consentry_records import events, keys
from consentry_records.access import AccessAttempt, AccessDecision, NewAccessAttempt
from consentry_records.dataset import DatasetVersion
from consentry_records.emergency import REVIEW_MILLISECONDS, EmergencyAccess
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant, Suspension
from consentry_records.instants import shift
from consentry_records.rules import Decision, concerning, decide
from fabric_shim import Context, evaluation, transaction

from .actors import check_custodian, member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import put, read
from .uses import free_uses, take_use


class Access(LedgerContract):
    """Functions `access:…`."""

    name = "access"

    @transaction
    async def attempt(self, ctx: Context, attempt: NewAccessAttempt) -> None:
        """Put an attempt on record, without outcome and whatever the caller's roles.

        Raises ATTEMPT_EXISTS, VERSION_NOT_FOUND.
        """
        key, version_key = keys.attempt(attempt.attempt_id), keys.version(attempt.version_id)
        state = await read(ctx, keys.SETTINGS, key, version_key)
        actor = member(ctx, state.settings())
        state.check_absent(key, LedgerError("ATTEMPT_EXISTS", {"attempt_id": attempt.attempt_id}))
        missing = LedgerError("VERSION_NOT_FOUND", {"version_id": attempt.version_id})
        version = state.required(DatasetVersion, version_key, missing)
        record = AccessAttempt.made(
            attempt,
            custodian=version.custodian,
            requester_msp=actor.msp_id,
            requester=actor.enrolment_id,
            roles=actor.roles,
            proposal_time=proposal_instant(ctx),
            projects=actor.projects,
        )
        await put(ctx, key, record)
        emit(
            ctx,
            events.ACCESS_ATTEMPTED,
            attempt_id=record.attempt_id,
            custodian=record.custodian,
            version_id=record.version_id,
        )

    @transaction
    async def decide(self, ctx: Context, attempt_id: str) -> None:
        """Decide on an attempt at the time of the caller, the custodian's service; permit and deny are both
        recorded.

        Reads the custodian's epoch and the grants' and suspensions' keys, so that a change which commits
        first voids this decision (MVCC). Raises ATTEMPT_NOT_FOUND, NOT_CUSTODIAN, ATTEMPT_ALREADY_DECIDED.
        """
        check_identifier("attempt_id", "attempt", attempt_id)
        named = {"attempt_id": attempt_id}
        attempt_key, key, epoch_key = (
            keys.attempt(attempt_id),
            keys.decision(attempt_id),
            keys.epoch(ctx.caller.msp_id),
        )
        state = await read(ctx, keys.SETTINGS, attempt_key, key, epoch_key)
        settings = state.settings()
        actor = member(ctx, settings)
        attempt = state.required(AccessAttempt, attempt_key, LedgerError("ATTEMPT_NOT_FOUND", named))
        check_custodian(actor, attempt.custodian)
        state.check_absent(key, LedgerError("ATTEMPT_ALREADY_DECIDED", named))
        version, grants, suspensions = await _basis(ctx, attempt)
        epoch, decision_time = state.text(epoch_key) or "", proposal_instant(ctx)
        uses = {} if attempt.emergency else await free_uses(ctx, concerning(attempt, version, grants))
        decision = decide(attempt, version, grants, suspensions, settings, epoch, decision_time, uses)
        if decision.use is not None and decision.grant_id is not None:
            await take_use(ctx, decision.grant_id, decision.use, attempt_id)
        if decision.emergency is not None:
            await _open_emergency(ctx, attempt, decision)
        await put(ctx, key, decision.record(attempt))
        outcome = {"attempt_id": attempt_id, "custodian": attempt.custodian, "outcome": decision.outcome}
        emit(ctx, events.ACCESS_DECIDED, **outcome)

    @evaluation
    async def get(self, ctx: Context, attempt_id: str) -> dict[str, Any]:
        """{"attempt": AccessAttempt, "decision": AccessDecision or null}; raises ATTEMPT_NOT_FOUND."""
        check_identifier("attempt_id", "attempt", attempt_id)
        attempt_key, decision_key = keys.attempt(attempt_id), keys.decision(attempt_id)
        state = await read(ctx, attempt_key, decision_key)
        missing = LedgerError("ATTEMPT_NOT_FOUND", {"attempt_id": attempt_id})
        attempt = state.required(AccessAttempt, attempt_key, missing)
        decision = state.optional(AccessDecision, decision_key)
        return {
            "attempt": attempt.to_dict(),
            "decision": decision.to_dict() if decision is not None else None,
        }


async def _basis(
    ctx: Context, attempt: AccessAttempt
) -> tuple[DatasetVersion, list[Grant], list[Suspension]]:
    """The version, and the requester's grants on it with their suspensions."""
    parts = [attempt.version_id, attempt.requester_msp]
    ids = [
        value.decode("ascii")
        async for _, value in ctx.stub.get_by_partial_composite_key(keys.GRANT_INDEX, parts)
    ]
    version_key = keys.version(attempt.version_id)
    grant_keys, suspension_keys = [keys.grant(id_) for id_ in ids], [keys.suspension(id_) for id_ in ids]
    state = await read(ctx, version_key, *grant_keys, *suspension_keys)
    missing = LedgerError("VERSION_NOT_FOUND", {"version_id": attempt.version_id})
    version = state.required(DatasetVersion, version_key, missing)
    grants = [state.optional(Grant, key) for key in grant_keys]
    suspensions = [state.optional(Suspension, key) for key in suspension_keys]
    return (
        version,
        [grant for grant in grants if grant is not None],
        [suspension for suspension in suspensions if suspension is not None],
    )


async def _open_emergency(ctx: Context, attempt: AccessAttempt, decision: Decision) -> None:
    """Put on record that this emergency access has to be reviewed, and by when."""
    record = EmergencyAccess(
        attempt_id=attempt.attempt_id,
        custodian=attempt.custodian,
        requester_msp=attempt.requester_msp,
        requester=attempt.requester,
        reason=attempt.emergency or "",
        permitted_at=decision.decided_at,
        review_due=shift(decision.decided_at, REVIEW_MILLISECONDS),
    )
    await put(ctx, keys.emergency(attempt.attempt_id), record)
    index_key = keys.open_emergency(attempt.custodian, attempt.attempt_id)
    await ctx.stub.put_state(index_key, attempt.attempt_id.encode("ascii"))
