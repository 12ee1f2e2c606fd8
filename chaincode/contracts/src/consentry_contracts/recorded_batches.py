"""Batches count once: each leaves a record under its random id, and its id is refused the next time."""

from __future__ import annotations

from consentry_records import keys
from consentry_records.batch import RecordedBatch
from consentry_records.digest import digest_bytes
from consentry_records.errors import LedgerError
from fabric_shim import Context

from .ledger_contract import emit, proposal_instant
from .state import Snapshot, put


def check_new_batch(state: Snapshot, batch_id: str) -> None:
    """Refuse a batch that was recorded before; raises LedgerError BATCH_EXISTS."""
    state.check_absent(keys.batch(batch_id), LedgerError("BATCH_EXISTS", {"batch_id": batch_id}))


async def check_private_entry(ctx: Context, custodian: str, batch_id: str, digest: str) -> None:
    """The private entry of a batch is committed with this digest.

    Raises LedgerError BATCH_PRIVATE_ENTRY_MISSING or BATCH_PRIVATE_ENTRY_DIFFERS.
    """
    stored = await ctx.stub.get_private_hash(keys.collection(custodian), keys.batch(batch_id))
    if stored is None:
        raise LedgerError("BATCH_PRIVATE_ENTRY_MISSING", {"batch_id": batch_id})
    if stored != digest_bytes(digest):
        raise LedgerError("BATCH_PRIVATE_ENTRY_DIFFERS", {"batch_id": batch_id})


async def put_batch(
    ctx: Context,
    event: str,
    *,
    batch_id: str,
    custodian: str,
    contents: str,
    count: int,
    private_entry_digest: str | None = None,
) -> None:
    """Write that a batch is recorded and set the transaction's event."""
    record = RecordedBatch(
        batch_id=batch_id,
        custodian=custodian,
        contents=contents,
        private_entry_digest=private_entry_digest,
        count=count,
        recorded_at=proposal_instant(ctx),
    )
    await put(ctx, keys.batch(batch_id), record)
    emit(ctx, event, batch_id=batch_id, custodian=custodian, count=count)
