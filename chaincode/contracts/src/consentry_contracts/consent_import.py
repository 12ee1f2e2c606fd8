"""The two transactions of an import: the private one first, then the public one that names its digest
(DESIGN.md §8).
"""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.batch import CONSENTS
from consentry_records.consent import (
    GIVEN,
    Consent,
    ConsentBatch,
    ConsentEvent,
    ConsentTerms,
)
from consentry_records.consent_changes import check_claim
from consentry_records.errors import LedgerError
from consentry_records.private_entries import PrivateBatch, check_batch, decode_entries
from consentry_records.record import field_names
from consentry_records.settings import Settings
from consentry_records.subject import MAXIMUM_CONSENTS_OF_SUBJECT, SubjectConsents
from consentry_records.templates import Template
from fabric_shim import Context

from .actors import Actor, check_custodian, member
from .ledger_contract import emit, proposal_instant
from .recorded_batches import check_new_batch, check_private_entry, put_batch
from .state import Snapshot, read

_NO_CONSENT = "consent-" + "0" * 32
_NO_SUBJECT = "hmac-sha256:" + "0" * 64


async def store_private(ctx: Context) -> None:
    """Write a batch's entries into the caller's own collection, and nothing anywhere else.

    Only the custodian's peer endorses this transaction, because no other key is written. Keys of entries end
    with the batch's id, so that one look at the batch tells that none of them is there.
    """
    transient = ctx.stub.transient
    entries, values = decode_entries(transient["entries"])
    batch = PrivateBatch.from_bytes(transient["batch"])
    if batch.to_bytes() != transient["batch"]:
        raise LedgerError("BATCH_NOT_CANONICAL")
    check_batch(batch, entries)
    actor = member(ctx, (await read(ctx, keys.SETTINGS)).settings())
    collection, batch_key = keys.collection(actor.msp_id), keys.batch(batch.batch_id)
    if await ctx.stub.get_private_hash(collection, batch_key) is not None:
        raise LedgerError("BATCH_EXISTS", {"batch_id": batch.batch_id})
    await ctx.stub.put_privates(collection, {**values, batch_key: batch.to_bytes()})
    emit(ctx, events.PRIVATE_BATCH_STORED, batch_id=batch.batch_id, custodian=actor.msp_id)


async def import_batch(ctx: Context, batch: ConsentBatch) -> None:
    """Record a batch's consents as given, once its private entry is committed with the digest that the batch
    names.
    """
    subject_keys = [keys.subject(subject) for subject in batch.subjects]
    state = await read(ctx, keys.SETTINGS, keys.batch(batch.batch_id), *subject_keys)
    settings = state.settings()
    actor = member(ctx, settings)
    check_custodian(actor, batch.custodian)
    check_new_batch(state, batch.batch_id)
    await check_private_entry(ctx, batch.custodian, batch.batch_id, batch.private_entry_digest)
    recorded_at = proposal_instant(ctx)
    ids = batch.identifiers
    await _put_consents(ctx, batch, ids, actor, recorded_at, settings)
    await _put_subjects(ctx, state, batch, ids)
    await put_batch(
        ctx,
        events.BATCH_IMPORTED,
        batch_id=batch.batch_id,
        custodian=batch.custodian,
        contents=CONSENTS,
        count=len(ids),
        private_entry_digest=batch.private_entry_digest,
    )


async def _put_consents(
    ctx: Context, batch: ConsentBatch, ids: list[str], actor: Actor, recorded_at: str, settings: Settings
) -> None:
    templates = [_template(batch, terms, actor, recorded_at) for terms in batch.terms]
    claims = batch.claimed_at or (None,) * len(ids)
    for claimed_at in dict.fromkeys(claims):
        check_claim(claimed_at, recorded_at, settings)
    values: dict[str, bytes] = {}
    for consent_id, subject, chosen, claimed_at in zip(
        ids, batch.subjects, batch.chosen, claims, strict=True
    ):
        claimed = "null" if claimed_at is None else f'"{claimed_at}"'
        value = templates[chosen].fill(f'"{consent_id}"', f'"{subject}"', claimed)
        values[keys.consent(consent_id)] = value
    await ctx.stub.put_states(values)


def _template(batch: ConsentBatch, terms: ConsentTerms, actor: Actor, recorded_at: str) -> Template:
    """A consent given under the same terms, with gaps for its id, its subject and when that is claimed."""
    event = ConsentEvent(
        event=GIVEN,
        recorded_at=recorded_at,
        recorded_by=actor.enrolment_id,
        claimed_at=None,
        batch_id=batch.batch_id,
        replaced=None,
    )
    consent = Consent(
        **{name: getattr(terms, name) for name in field_names(ConsentTerms)},
        consent_id=_NO_CONSENT,
        subject=_NO_SUBJECT,
        custodian=batch.custodian,
        state=GIVEN,
        events=(event,),
    )
    return Template(consent, {"consent_id": _NO_CONSENT, "subject": _NO_SUBJECT, "claimed_at": None})


async def _put_subjects(ctx: Context, state: Snapshot, batch: ConsentBatch, ids: list[str]) -> None:
    """Write each subject's list of consents with the batch's added; refuse subjects that do not fit."""
    new = SubjectConsents(subject=_NO_SUBJECT, custodian=batch.custodian, consents=(_NO_CONSENT,), limits=())
    template = Template(new, {"subject": _NO_SUBJECT, "consents": [_NO_CONSENT]})
    added: dict[str, list[str]] = {}
    for consent_id, commitment in zip(ids, batch.subjects, strict=True):
        added.setdefault(commitment, []).append(consent_id)
    values: dict[str, bytes] = {}
    for commitment, more in added.items():
        key = keys.subject(commitment)
        known = state.optional(SubjectConsents, key)
        if known is None and len(more) == 1:
            values[key] = template.fill(f'"{commitment}"', f'["{more[0]}"]')
            continue
        before = known.consents if known is not None else ()
        _check_subject(known, batch.custodian, more[0], len(before) + len(more))
        limits = known.limits if known is not None else ()
        changed = SubjectConsents(
            subject=commitment, custodian=batch.custodian, consents=(*before, *more), limits=limits
        )
        values[key] = changed.to_bytes()
    await ctx.stub.put_states(values)


def _check_subject(known: SubjectConsents | None, custodian: str, consent_id: str, count: int) -> None:
    named = {"consent_id": consent_id}
    if known is not None and known.custodian != custodian:
        raise LedgerError("SUBJECT_OF_OTHER_CUSTODIAN", named)
    if known is not None and known.erased:
        raise LedgerError("SUBJECT_ERASED", named)
    if count > MAXIMUM_CONSENTS_OF_SUBJECT:
        raise LedgerError("SUBJECT_FULL", {**named, "maximum": MAXIMUM_CONSENTS_OF_SUBJECT})
