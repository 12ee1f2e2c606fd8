"""Contract `subjects`: what one custodian holds of its subjects, and the opt-out register."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.batch import OPT_OUTS
from consentry_records.consent import MAXIMUM_QUERY
from consentry_records.consent_changes import check_claim
from consentry_records.errors import LedgerError
from consentry_records.kinds import COMMITMENT, Many
from consentry_records.settings import Settings
from consentry_records.subject import OPT_OUT, OptOut, OptOutBatch, ProcessingLimit, SubjectConsents
from fabric_shim import Context, evaluation, transaction

from .actors import Actor, check_custodian, member
from .ledger_contract import LedgerContract, check_argument, proposal_instant
from .recorded_batches import check_new_batch, put_batch
from .state import Snapshot, advance_epoch, put, read


class Subjects(LedgerContract):
    """Functions `subjects:…`."""

    name = "subjects"

    @transaction
    async def opt_out(self, ctx: Context, batch: OptOutBatch) -> None:
        """Record who opted out of secondary use, or in again (EHDS Art. 71): at any time, without a reason.

        A subject needs no consent on record for it. Raises NOT_CUSTODIAN, BATCH_EXISTS, CLAIMED_TOO_LATE,
        SUBJECT_OF_OTHER_CUSTODIAN.
        """
        subject_keys = [keys.subject(entry.subject) for entry in batch.entries]
        state = await read(ctx, keys.SETTINGS, keys.batch(batch.batch_id), *subject_keys)
        settings = state.settings()
        actor = member(ctx, settings)
        check_custodian(actor, batch.custodian)
        check_new_batch(state, batch.batch_id)
        for entry in batch.entries:
            await _record(ctx, state, actor, settings, entry)
        if any(entry.opted_out for entry in batch.entries):
            await advance_epoch(ctx, batch.custodian)
        await put_batch(
            ctx,
            events.OPT_OUTS_RECORDED,
            batch_id=batch.batch_id,
            custodian=batch.custodian,
            contents=OPT_OUTS,
            count=len(batch.entries),
        )

    @evaluation
    async def get(self, ctx: Context, subjects: list[str]) -> list[SubjectConsents]:
        """Subjects by their commitments, at most 400, in that order; raises SUBJECT_NOT_FOUND."""
        check_argument("subjects", Many(COMMITMENT, 1, MAXIMUM_QUERY), subjects)
        state = await read(ctx, *(keys.subject(subject) for subject in subjects))
        missing = LedgerError("SUBJECT_NOT_FOUND")
        return [state.required(SubjectConsents, keys.subject(subject), missing) for subject in subjects]


async def _record(ctx: Context, state: Snapshot, actor: Actor, settings: Settings, entry: OptOut) -> None:
    since = proposal_instant(ctx)
    check_claim(entry.claimed_at, since, settings)
    key = keys.subject(entry.subject)
    known = state.optional(SubjectConsents, key)
    if known is None:
        known = SubjectConsents(subject=entry.subject, custodian=actor.msp_id, consents=(), limits=())
    elif known.custodian != actor.msp_id:
        raise LedgerError("NOT_CUSTODIAN", {"custodian": known.custodian, "msp_id": actor.msp_id})
    changed = known.without(kind=OPT_OUT)
    if entry.opted_out:
        limit = ProcessingLimit(
            kind=OPT_OUT,
            purposes=(),
            since=since,
            claimed_at=entry.claimed_at,
            recorded_by=actor.enrolment_id,
            rights_request_id=None,
        )
        # An opt-out is never refused for want of room: it takes the place that is kept for it.
        changed = replace(changed, limits=(limit, *changed.limits))
    await put(ctx, key, changed)
