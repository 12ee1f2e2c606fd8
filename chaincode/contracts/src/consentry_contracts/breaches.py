"""Contract `breaches`: the register of personal data breaches (GDPR Art. 33, 34)."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.breach import (
    CLOSED,
    OPEN,
    Breach,
    BreachEvent,
    BreachStep,
    NewBreach,
    check_step,
    recorded,
)
from consentry_records.errors import LedgerError
from fabric_shim import Context, evaluation, transaction

from .actors import check_custodian, member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import Snapshot, put, put_owned, read


class Breaches(LedgerContract):
    """Functions `breaches:…`."""

    name = "breaches"

    @transaction
    async def record(self, ctx: Context, breach: NewBreach) -> None:
        """Record a breach of data that the caller's organization holds.

        Raises BREACH_EXISTS, HAPPENED_TOO_LATE.
        """
        key = keys.breach(breach.breach_id)
        state = await read(ctx, keys.SETTINGS, key)
        settings = state.settings()
        actor = member(ctx, settings)
        state.check_absent(key, LedgerError("BREACH_EXISTS", {"breach_id": breach.breach_id}))
        made = recorded(
            breach, custodian=actor.msp_id, recorded_at=proposal_instant(ctx), recorded_by=actor.enrolment_id
        )
        await put_owned(ctx, key, made, owner=actor.msp_id, settings=settings)
        _emit(ctx, made)

    @transaction
    async def advance(self, ctx: Context, step: BreachStep) -> None:
        """Record what was done about a breach.

        Raises BREACH_NOT_FOUND, NOT_CUSTODIAN, BREACH_REVISION_DIFFERS, BREACH_STEP_INVALID,
        HAPPENED_TOO_LATE.
        """
        key = keys.breach(step.breach_id)
        state = await read(ctx, keys.SETTINGS, key)
        actor = member(ctx, state.settings())
        before = _breach(state, step.breach_id)
        check_custodian(actor, before.custodian)
        recorded_at = proposal_instant(ctx)
        check_step(before, step, recorded_at)
        happened = BreachEvent(
            event=step.step,
            happened_at=step.happened_at,
            recorded_at=recorded_at,
            recorded_by=actor.enrolment_id,
            document_digest=step.document_digest,
        )
        state_after = CLOSED if step.step == CLOSED else OPEN
        after = replace(before, events=(*before.events, happened), state=state_after)
        await put(ctx, key, after)
        _emit(ctx, after)

    @evaluation
    async def get(self, ctx: Context, breach_id: str) -> Breach:
        """A breach; raises BREACH_NOT_FOUND."""
        check_identifier("breach_id", "breach", breach_id)
        return _breach(await read(ctx, keys.breach(breach_id)), breach_id)


def _breach(state: Snapshot, breach_id: str) -> Breach:
    missing = LedgerError("BREACH_NOT_FOUND", {"breach_id": breach_id})
    return state.required(Breach, keys.breach(breach_id), missing)


def _emit(ctx: Context, breach: Breach) -> None:
    emit(
        ctx, events.BREACH_CHANGED, breach_id=breach.breach_id, custodian=breach.custodian, state=breach.state
    )
