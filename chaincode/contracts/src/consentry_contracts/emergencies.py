"""Contract `emergencies`: the review that every emergency access gets afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consentry_records import events, keys
from consentry_records.emergency import OPEN, EmergencyAccess, EmergencyReview
from consentry_records.errors import LedgerError
from consentry_records.kinds import MSP_ID, Many
from fabric_shim import Context, evaluation, transaction

from .actors import check_custodian, member
from .ledger_contract import (
    LedgerContract,
    check_argument,
    check_follows,
    emit,
    proposal_instant,
)
from .state import put, read


class Emergencies(LedgerContract):
    """Functions `emergencies:…`."""

    name = "emergencies"

    @transaction
    async def review(self, ctx: Context, review: EmergencyReview) -> None:
        """Record what the custodian's review of an emergency access found, once.

        Raises EMERGENCY_NOT_FOUND, NOT_CUSTODIAN, EMERGENCY_ALREADY_REVIEWED,
        EMERGENCY_REVIEWER_IS_REQUESTER, PROPOSAL_TIME_TOO_EARLY.
        """
        key, named = keys.emergency(review.attempt_id), {"attempt_id": review.attempt_id}
        state = await read(ctx, keys.SETTINGS, key)
        settings, reviewed_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        access = state.required(EmergencyAccess, key, LedgerError("EMERGENCY_NOT_FOUND", named))
        check_custodian(actor, access.custodian)
        if access.state != OPEN:
            raise LedgerError("EMERGENCY_ALREADY_REVIEWED", named)
        if (access.requester_msp, access.requester) == (actor.msp_id, actor.enrolment_id):
            raise LedgerError("EMERGENCY_REVIEWER_IS_REQUESTER", named)
        check_follows(reviewed_at, access.permitted_at, settings)
        reviewed = replace(
            access,
            state=review.state,
            findings=review.findings,
            rationale_digest=review.rationale_digest,
            reviewed_by=actor.enrolment_id,
            reviewed_at=reviewed_at,
        )
        await put(ctx, key, reviewed)
        await ctx.stub.delete_state(keys.open_emergency(access.custodian, review.attempt_id))
        emit(ctx, events.EMERGENCY_REVIEWED, **named, custodian=access.custodian, state=review.state)

    @evaluation
    async def open(self, ctx: Context, custodians: list[str]) -> dict[str, Any]:
        """The custodians' emergency accesses without a review: {"open": [{…EmergencyAccess, "overdue"}, …]}.

        Overdue is judged by the proposal's time.
        """
        check_argument("custodians", Many(MSP_ID, 1, 64), custodians)
        wanted = [
            keys.emergency(value.decode("ascii"))
            for custodian in custodians
            async for _, value in ctx.stub.get_by_partial_composite_key(keys.EMERGENCY_INDEX, [custodian])
        ]
        at = proposal_instant(ctx)
        state = await read(ctx, *wanted)
        found = [state.optional(EmergencyAccess, key) for key in wanted]
        return {
            "open": [
                {**access.to_dict(), "overdue": access.is_overdue(at)}
                for access in found
                if access is not None
            ]
        }
