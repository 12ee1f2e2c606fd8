"""Contract `deliveries`: what a custodian's data gate gives out, and whether it may go on."""

from __future__ import annotations

from typing import Any

from consentry_records import events, keys
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.delivery import MAXIMUM_DELIVERIES, Delivery, NewDelivery
from consentry_records.errors import LedgerError
from consentry_records.function import Function
from consentry_records.instants import shift
from fabric_shim import Context, evaluation, transaction

from .actors import check_custodian, member
from .ledger_contract import LedgerContract, check_follows, check_identifier, emit, proposal_instant
from .permits import standing
from .state import Snapshot, put, read


class Deliveries(LedgerContract):
    """Functions `deliveries:…`."""

    name = "deliveries"

    @transaction
    async def record(self, ctx: Context, delivery: NewDelivery) -> None:
        """Record what was given out under a permit, as the custodian's service; numbers have no gaps.

        Raises ATTEMPT_NOT_FOUND, NOT_CUSTODIAN, ATTEMPT_UNDECIDED, ATTEMPT_DENIED, DELIVERY_EXISTS,
        DELIVERY_NOT_NEXT, COMPUTATION_DIFFERS, HAPPENED_TOO_LATE, PROPOSAL_TIME_TOO_EARLY.
        """
        attempt_id, number = delivery.attempt_id, delivery.number
        key, before = keys.delivery(attempt_id, number), keys.delivery(attempt_id, number - 1)
        state = await read(
            ctx, keys.SETTINGS, keys.attempt(attempt_id), keys.decision(attempt_id), key, before
        )
        settings, recorded_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        attempt, decision = _permitted(state, attempt_id)
        check_custodian(actor, attempt.custodian)
        named: dict[str, str | int] = {"attempt_id": attempt_id, "number": number}
        state.check_absent(key, LedgerError("DELIVERY_EXISTS", named))
        if number > 1 and state.text(before) is None:
            raise LedgerError("DELIVERY_NOT_NEXT", {"attempt_id": attempt_id, "expected": number - 1})
        await _check_computation(ctx, delivery, attempt)
        check_follows(delivery.started_at, decision.decided_at, settings)
        if delivery.ended_at > shift(recorded_at, settings.time_tolerance_ms):
            raise LedgerError("HAPPENED_TOO_LATE", {"recorded_at": recorded_at})
        record = Delivery.recorded(
            delivery, custodian=actor.msp_id, recorded_by=actor.enrolment_id, recorded_at=recorded_at
        )
        await put(ctx, key, record)
        emit(ctx, events.DATA_DELIVERED, custodian=actor.msp_id, end=delivery.end, **named)

    @evaluation
    async def may_go_on(self, ctx: Context, attempt_id: str) -> dict[str, Any]:
        """Whether a permit holds at the proposal's time, by its grant as it stands now.

        Answers {"holds": bool, "reasons": [Reason, …] why not (none where the permit's time is over),
        "epoch": what the custodian's epoch key holds}. Raises ATTEMPT_NOT_FOUND, ATTEMPT_UNDECIDED,
        ATTEMPT_DENIED.
        """
        check_identifier("attempt_id", "attempt", attempt_id)
        state = await read(ctx, keys.SETTINGS, keys.attempt(attempt_id), keys.decision(attempt_id))
        return await _standing(ctx, state, attempt_id)

    @evaluation
    async def outlook(self, ctx: Context, attempt_id: str) -> dict[str, Any]:
        """What a gate has to know before a delivery begins, in one answer.

        Answers {"decision": AccessDecision or null, "deliveries": [Delivery, …] under it in their order,
        "standing": what `may_go_on` answers, null where nothing is permitted}. Raises ATTEMPT_NOT_FOUND.
        """
        check_identifier("attempt_id", "attempt", attempt_id)
        state = await read(ctx, keys.SETTINGS, keys.attempt(attempt_id), keys.decision(attempt_id))
        missing = LedgerError("ATTEMPT_NOT_FOUND", {"attempt_id": attempt_id})
        state.required(AccessAttempt, keys.attempt(attempt_id), missing)
        decision = state.optional(AccessDecision, keys.decision(attempt_id))
        permits = decision is not None and decision.permits
        return {
            "decision": None if decision is None else decision.to_dict(),
            "deliveries": [one.to_dict() for one in await _deliveries(ctx, attempt_id)],
            "standing": await _standing(ctx, state, attempt_id) if permits else None,
        }

    @evaluation
    async def of_attempt(self, ctx: Context, attempt_id: str) -> list[Delivery]:
        """The deliveries under a permit in their order."""
        check_identifier("attempt_id", "attempt", attempt_id)
        return await _deliveries(ctx, attempt_id)


async def _deliveries(ctx: Context, attempt_id: str) -> list[Delivery]:
    first, last = keys.delivery(attempt_id, 1), keys.delivery(attempt_id, MAXIMUM_DELIVERIES)
    return [Delivery.from_bytes(value) async for _, value in ctx.stub.get_range(first, last + "0")]


async def _standing(ctx: Context, state: Snapshot, attempt_id: str) -> dict[str, Any]:
    """Whether a permit holds at the proposal's time; `state` has settings, attempt and decision."""
    settings, at = state.settings(), proposal_instant(ctx)
    attempt, decision = _permitted(state, attempt_id)
    epoch_key = keys.epoch(attempt.custodian)
    reasons = await standing(ctx, attempt, decision, settings, at)
    epoch = (await read(ctx, epoch_key)).text(epoch_key) or ""
    is_over = shift(at, settings.time_tolerance_ms) >= (decision.permit_not_after or "")
    holds = not is_over and not reasons
    return {"holds": holds, "reasons": [reason.to_dict() for reason in reasons], "epoch": epoch}


async def _check_computation(ctx: Context, delivery: NewDelivery, attempt: AccessAttempt) -> None:
    """Refuse a run of no function, rows of one, and outputs that it does not declare."""
    differs = LedgerError("COMPUTATION_DIFFERS", {"attempt_id": delivery.attempt_id})
    if attempt.function_digest is None or delivery.computation is None:
        if attempt.function_digest is not None or delivery.computation is not None:
            raise differs
        return
    key = keys.function(attempt.requester_msp, attempt.function_digest)
    function = (await read(ctx, key)).required(Function, key, differs)
    if not delivery.computation.answers(function):
        raise differs


def _permitted(state: Snapshot, attempt_id: str) -> tuple[AccessAttempt, AccessDecision]:
    named = {"attempt_id": attempt_id}
    missing, undecided = LedgerError("ATTEMPT_NOT_FOUND", named), LedgerError("ATTEMPT_UNDECIDED", named)
    attempt = state.required(AccessAttempt, keys.attempt(attempt_id), missing)
    decision = state.required(AccessDecision, keys.decision(attempt_id), undecided)
    if not decision.permits:
        raise LedgerError("ATTEMPT_DENIED", named)
    return attempt, decision
