"""Contract `epochs`: custodians commit one root an epoch over the chains of their subjects and datasets.

The contract keeps the epochs in order, one key each; whether a root is right every member computes from the
blocks, for no contract sees them.
"""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.closed_epoch import MAXIMUM_NUMBER, ClosedEpoch, NewClosedEpoch
from consentry_records.errors import LedgerError
from consentry_records.kinds import MSP_ID, Integer
from consentry_records.record import field_names
from fabric_shim import Context, evaluation, transaction

from .actors import member
from .ledger_contract import LedgerContract, check_argument, emit, proposal_instant
from .state import put_owned, read


class Epochs(LedgerContract):
    """Functions `epochs:…`."""

    name = "epochs"

    @transaction
    async def close(self, ctx: Context, epoch: NewClosedEpoch) -> None:
        """Close the caller's next epoch, which begins where the one before ended; the first at block 0.

        Raises EPOCH_CLOSED, EPOCH_NOT_NEXT, EPOCH_WITHOUT_LIMITS.
        """
        if not epoch.limits:
            raise LedgerError("EPOCH_WITHOUT_LIMITS", {"number": epoch.number})
        custodian = ctx.caller.msp_id
        key = keys.closed_epoch(custodian, epoch.number)
        before_key = keys.closed_epoch(custodian, epoch.number - 1)
        state = await read(ctx, keys.SETTINGS, key, before_key)
        settings = state.settings()
        member(ctx, settings)
        state.check_absent(key, LedgerError("EPOCH_CLOSED", {"number": epoch.number}))
        before = state.optional(ClosedEpoch, before_key)
        expected = before.last_block + 1 if before is not None else 0
        if epoch.first_block != expected or (before is None) != (epoch.number == 1):
            raise LedgerError("EPOCH_NOT_NEXT", {"number": epoch.number, "first_block": expected})
        made = ClosedEpoch(
            **{name: getattr(epoch, name) for name in field_names(NewClosedEpoch)},
            custodian=custodian,
            closed_at=proposal_instant(ctx),
        )
        await put_owned(ctx, key, made, owner=custodian, settings=settings)
        emit(ctx, events.EPOCH_CLOSED, custodian=custodian, number=epoch.number)

    @evaluation
    async def get(self, ctx: Context, custodian: str, number: int) -> ClosedEpoch:
        """A closed epoch; raises EPOCH_NOT_FOUND."""
        check_argument("custodian", MSP_ID, custodian)
        check_argument("number", Integer(1, MAXIMUM_NUMBER), number)
        missing = LedgerError("EPOCH_NOT_FOUND", {"custodian": custodian, "number": number})
        key = keys.closed_epoch(custodian, number)
        return (await read(ctx, key)).required(ClosedEpoch, key, missing)
