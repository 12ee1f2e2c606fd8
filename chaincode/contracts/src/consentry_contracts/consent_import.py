"""The two transactions of an import: the private one first, then the public one that names its digest
(DESIGN.md §8).
"""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.consent import (
    MAXIMUM_CONSENTS_OF_SUBJECT,
    Consent,
    ConsentBatch,
    ImportedBatch,
    SubjectConsents,
)
from consentry_records.digest import digest_bytes
from consentry_records.errors import LedgerError
from consentry_records.private_entries import PrivateBatch, PrivateEntry, check_batch, decode_entries
from fabric_shim import Context

from .actors import check_custodian, member
from .ledger_contract import emit, proposal_instant
from .state import Snapshot, put, read


async def store_private(ctx: Context) -> None:
    """Write a batch's entries into the caller's own collection, and nothing anywhere else.

    Only the custodian's peer endorses this transaction, because no other key is written.
    """
    transient = ctx.stub.transient
    entries = decode_entries(transient["entries"])
    batch = PrivateBatch.from_bytes(transient["batch"])
    if batch.to_bytes() != transient["batch"]:
        raise LedgerError("BATCH_NOT_CANONICAL")
    check_batch(batch, entries)
    actor = member(ctx, (await read(ctx, keys.SETTINGS)).settings())
    collection, batch_key = keys.collection(actor.msp_id), keys.batch(batch.batch_id)
    await _check_new(ctx, collection, batch_key, batch, entries)
    for entry in entries:
        await ctx.stub.put_private(collection, entry.key, entry.data)
    await ctx.stub.put_private(collection, batch_key, batch.to_bytes())
    emit(ctx, events.PRIVATE_BATCH_STORED, batch_id=batch.batch_id, custodian=actor.msp_id)


async def _check_new(
    ctx: Context, collection: str, batch_key: str, batch: PrivateBatch, entries: tuple[PrivateEntry, ...]
) -> None:
    stored = await ctx.stub.get_privates(collection, [batch_key, *(entry.key for entry in entries)])
    if stored[0] is not None:
        raise LedgerError("BATCH_EXISTS", {"batch_id": batch.batch_id})
    for entry, value in zip(entries, stored[1:], strict=True):
        if value is not None:
            raise LedgerError("PRIVATE_ENTRY_EXISTS", {"consent_id": entry.consent_id})


async def import_batch(ctx: Context, batch: ConsentBatch) -> None:
    """Record a batch's consents as given, once its private entry is committed with the digest that the batch
    names.
    """
    batch_key = keys.batch(batch.batch_id)
    state = await read(
        ctx,
        keys.SETTINGS,
        batch_key,
        *(keys.consent(consent.consent_id) for consent in batch.consents),
        *(keys.subject(consent.subject) for consent in batch.consents),
    )
    actor = member(ctx, state.settings())
    check_custodian(actor, batch.custodian)
    state.check_absent(batch_key, LedgerError("BATCH_EXISTS", {"batch_id": batch.batch_id}))
    await _check_private_entry(ctx, batch)
    recorded_at = proposal_instant(ctx)
    subjects = _subjects(state, batch)
    for new in batch.consents:
        await put(
            ctx,
            keys.consent(new.consent_id),
            Consent.given(new, custodian=batch.custodian, recorded_at=recorded_at),
        )
    for commitment, subject in subjects.items():
        await put(ctx, keys.subject(commitment), subject)
    imported = ImportedBatch(
        batch_id=batch.batch_id,
        custodian=batch.custodian,
        private_entry_digest=batch.private_entry_digest,
        count=len(batch.consents),
        recorded_at=recorded_at,
    )
    await put(ctx, batch_key, imported)
    emit(
        ctx,
        events.BATCH_IMPORTED,
        batch_id=batch.batch_id,
        custodian=batch.custodian,
        count=len(batch.consents),
    )


async def _check_private_entry(ctx: Context, batch: ConsentBatch) -> None:
    stored = await ctx.stub.get_private_hash(keys.collection(batch.custodian), keys.batch(batch.batch_id))
    if stored is None:
        raise LedgerError("BATCH_PRIVATE_ENTRY_MISSING", {"batch_id": batch.batch_id})
    if stored != digest_bytes(batch.private_entry_digest):
        raise LedgerError("BATCH_PRIVATE_ENTRY_DIFFERS", {"batch_id": batch.batch_id})


def _subjects(state: Snapshot, batch: ConsentBatch) -> dict[str, SubjectConsents]:
    """Each subject's list of consents with the batch's added; refuses ids and subjects that do not fit."""
    before: dict[str, SubjectConsents | None] = {}
    added: dict[str, list[str]] = {}
    for consent in batch.consents:
        named = {"consent_id": consent.consent_id}
        state.check_absent(keys.consent(consent.consent_id), LedgerError("CONSENT_EXISTS", named))
        if consent.subject not in before:
            before[consent.subject] = state.optional(SubjectConsents, keys.subject(consent.subject))
        known = before[consent.subject]
        if known is not None and known.custodian != batch.custodian:
            raise LedgerError("SUBJECT_OF_OTHER_CUSTODIAN", named)
        ids = added.setdefault(consent.subject, list(known.consents) if known is not None else [])
        if len(ids) == MAXIMUM_CONSENTS_OF_SUBJECT:
            raise LedgerError("SUBJECT_FULL", {**named, "maximum": MAXIMUM_CONSENTS_OF_SUBJECT})
        ids.append(consent.consent_id)
    return {
        commitment: SubjectConsents(subject=commitment, custodian=batch.custodian, consents=tuple(ids))
        for commitment, ids in added.items()
    }
