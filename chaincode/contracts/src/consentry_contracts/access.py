"""Contract `access`: an attempt is committed first, the custodian's service decides on it (DESIGN.md §6)."""

from __future__ import annotations

from typing import Any

from consentry_records import events, keys
from consentry_records.access import AccessAttempt, AccessDecision, DecisionBatch, NewAccessAttempt
from consentry_records.dataset import DatasetVersion
from consentry_records.errors import LedgerError
from fabric_shim import Context, evaluation, transaction

from .actors import member
from .decisions import decide_all
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import put, read


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
        (decision,) = await decide_all(ctx, (attempt_id,))
        custodian = ctx.caller.msp_id
        emit(
            ctx,
            events.ACCESS_DECIDED,
            attempt_id=attempt_id,
            custodian=custodian,
            outcome=decision.outcome,
        )

    @transaction
    async def decide_batch(self, ctx: Context, batch: DecisionBatch) -> None:
        """Decide on several attempts as `decide` does on each; all decisions are recorded, or none.

        Raises what `decide` raises.
        """
        await decide_all(ctx, batch.attempts)
        emit(ctx, events.ACCESS_BATCH_DECIDED, custodian=ctx.caller.msp_id, count=len(batch.attempts))

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
