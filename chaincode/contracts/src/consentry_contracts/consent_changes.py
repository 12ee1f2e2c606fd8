"""Changes of consents, one or many in a transaction."""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.batch import CHANGES
from consentry_records.consent import Consent
from consentry_records.consent_changes import (
    TAKES_AWAY,
    ConsentChange,
    ConsentChangeBatch,
    Recording,
    changed,
)
from consentry_records.errors import LedgerError
from consentry_records.settings import Settings
from fabric_shim import Context

from .actors import Actor, check_custodian, member
from .ledger_contract import check_follows, proposal_instant
from .recorded_batches import check_new_batch, check_private_entry, put_batch
from .state import Snapshot, advance_epoch, put, read


async def change_batch(ctx: Context, batch: ConsentChangeBatch) -> None:
    """Record a batch of changes, once its private entry, if it names one, is committed."""
    consent_keys = [keys.consent(change.consent_id) for change in batch.changes]
    state = await read(ctx, keys.SETTINGS, keys.batch(batch.batch_id), *consent_keys)
    settings = state.settings()
    actor = member(ctx, settings)
    check_custodian(actor, batch.custodian)
    check_new_batch(state, batch.batch_id)
    if batch.private_entry_digest is not None:
        await check_private_entry(ctx, batch.custodian, batch.batch_id, batch.private_entry_digest)
    private_batch = batch.batch_id if batch.private_entry_digest is not None else None
    for change in batch.changes:
        await _change(ctx, state, actor, settings, change, private_batch)
    if any(change.change in TAKES_AWAY for change in batch.changes):
        await advance_epoch(ctx, batch.custodian)
    await put_batch(
        ctx,
        events.CONSENTS_CHANGED,
        batch_id=batch.batch_id,
        custodian=batch.custodian,
        contents=CHANGES,
        count=len(batch.changes),
        private_entry_digest=batch.private_entry_digest,
    )


async def change_one(ctx: Context, change: ConsentChange) -> Consent:
    """Record one change of a consent of the caller's; the consent after it."""
    state = await read(ctx, keys.SETTINGS, keys.consent(change.consent_id))
    settings = state.settings()
    consent = await _change(ctx, state, member(ctx, settings), settings, change, None)
    if change.change in TAKES_AWAY:
        await advance_epoch(ctx, consent.custodian)
    return consent


async def _change(
    ctx: Context,
    state: Snapshot,
    actor: Actor,
    settings: Settings,
    change: ConsentChange,
    batch_id: str | None,
) -> Consent:
    key = keys.consent(change.consent_id)
    missing = LedgerError("CONSENT_NOT_FOUND", {"consent_id": change.consent_id})
    consent = state.required(Consent, key, missing)
    check_custodian(actor, consent.custodian)
    recorded_at = proposal_instant(ctx)
    check_follows(recorded_at, consent.events[-1].recorded_at, settings)
    recording = Recording(
        recorded_at=recorded_at, recorded_by=actor.enrolment_id, batch_id=batch_id, settings=settings
    )
    after = changed(consent, change, recording)
    await put(ctx, key, after)
    return after
