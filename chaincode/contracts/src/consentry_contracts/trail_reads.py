"""Contract `trail`: reads of the trail are themselves on the trail."""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.consent_changes import check_claim
from consentry_records.errors import LedgerError
from consentry_records.record import field_names
from consentry_records.trail_read import NewTrailRead, TrailRead
from fabric_shim import Context, evaluation, transaction

from .actors import member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import put, read


class TrailReads(LedgerContract):
    """Functions `trail:…`."""

    name = "trail"

    @transaction
    async def record_read(self, ctx: Context, trail_read: NewTrailRead) -> None:
        """Record that the caller asked something of the trail.

        Raises TRAIL_READ_EXISTS, CLAIMED_TOO_LATE.
        """
        key = keys.trail_read(trail_read.trail_read_id)
        state = await read(ctx, keys.SETTINGS, key)
        settings, read_at = state.settings(), proposal_instant(ctx)
        actor = member(ctx, settings)
        named = {"trail_read_id": trail_read.trail_read_id}
        state.check_absent(key, LedgerError("TRAIL_READ_EXISTS", named))
        check_claim(trail_read.claimed_at, read_at, settings)
        made = TrailRead(
            **{name: getattr(trail_read, name) for name in field_names(NewTrailRead)},
            reader_msp=actor.msp_id,
            reader=actor.enrolment_id,
            roles=actor.roles,
            read_at=read_at,
        )
        await put(ctx, key, made)
        emit(ctx, events.TRAIL_READ, **named, question=made.question)

    @evaluation
    async def get(self, ctx: Context, trail_read_id: str) -> TrailRead:
        """A read of the trail; raises TRAIL_READ_NOT_FOUND."""
        check_identifier("trail_read_id", "trailread", trail_read_id)
        missing = LedgerError("TRAIL_READ_NOT_FOUND", {"trail_read_id": trail_read_id})
        key = keys.trail_read(trail_read_id)
        return (await read(ctx, key)).required(TrailRead, key, missing)
