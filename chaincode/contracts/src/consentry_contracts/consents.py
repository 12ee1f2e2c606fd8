"""Contract `consents`: import, withdrawal, and who consents to what now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consentry_records import events, keys
from consentry_records.consent import (
    MAXIMUM_QUERY,
    WITHDRAWN,
    Consent,
    ConsentBatch,
    PermittedQuery,
    SubjectConsents,
)
from consentry_records.errors import LedgerError
from consentry_records.kinds import Many, identifier
from consentry_records.rules import consent_permits
from fabric_shim import Context, evaluation, transaction

from . import consent_import, private_read
from .actors import check_custodian, member
from .ledger_contract import (
    LedgerContract,
    check_argument,
    check_follows,
    check_identifier,
    emit,
    proposal_instant,
)
from .state import Snapshot, advance_epoch, put, read


class Consents(LedgerContract):
    """Functions `consents:…`."""

    name = "consents"

    @transaction
    async def store_private(self, ctx: Context) -> None:
        """Store the private entries of a batch; transient `entries` and `batch` (see `private_entries`).

        Raises TRANSIENT_INVALID, JSON_INVALID, BATCH_NOT_CANONICAL, BATCH_COUNT_DIFFERS, BATCH_ROOT_DIFFERS,
        BATCH_EXISTS, PRIVATE_ENTRY_EXISTS.
        """
        await consent_import.store_private(ctx)

    @transaction
    async def import_batch(self, ctx: Context, batch: ConsentBatch) -> None:
        """Record the consents of a batch whose private entries are committed.

        Raises NOT_CUSTODIAN, BATCH_EXISTS, BATCH_PRIVATE_ENTRY_MISSING, BATCH_PRIVATE_ENTRY_DIFFERS,
        CONSENT_EXISTS, SUBJECT_OF_OTHER_CUSTODIAN, SUBJECT_FULL.
        """
        await consent_import.import_batch(ctx, batch)

    @transaction
    async def withdraw(self, ctx: Context, consent_id: str) -> None:
        """Withdraw a consent (GDPR Art. 7(3)); it is kept, and permits nothing from the next decision on.

        Raises CONSENT_NOT_FOUND, NOT_CUSTODIAN, CONSENT_ALREADY_WITHDRAWN, PROPOSAL_TIME_TOO_EARLY.
        """
        check_identifier("consent_id", "consent", consent_id)
        key, named = keys.consent(consent_id), {"consent_id": consent_id}
        state = await read(ctx, keys.SETTINGS, key)
        settings = state.settings()
        actor = member(ctx, settings)
        consent = state.required(Consent, key, LedgerError("CONSENT_NOT_FOUND", named))
        check_custodian(actor, consent.custodian)
        if consent.state == WITHDRAWN:
            raise LedgerError("CONSENT_ALREADY_WITHDRAWN", named)
        withdrawn_at = proposal_instant(ctx)
        check_follows(withdrawn_at, consent.recorded_at, settings)
        await put(ctx, key, replace(consent, state=WITHDRAWN, withdrawn_at=withdrawn_at))
        await advance_epoch(ctx, consent.custodian)
        emit(ctx, events.CONSENT_WITHDRAWN, consent_id=consent_id, custodian=consent.custodian)

    @evaluation
    async def get(self, ctx: Context, consent_ids: list[str]) -> list[Consent]:
        """Consents by their ids, at most 400, in that order; raises CONSENT_NOT_FOUND for the first unknown
        one.
        """
        check_argument("consent_ids", Many(identifier("consent"), 1, MAXIMUM_QUERY), consent_ids)
        state = await read(ctx, *(keys.consent(consent_id) for consent_id in consent_ids))
        return [
            state.required(
                Consent,
                keys.consent(consent_id),
                LedgerError("CONSENT_NOT_FOUND", {"consent_id": consent_id}),
            )
            for consent_id in consent_ids
        ]

    @evaluation
    async def permitted(self, ctx: Context, query: PermittedQuery) -> dict[str, Any]:
        """For each subject the newest consent that allows the use at the proposal's time, null where none
        does.

        Answers {"permitted": [consent id or null, …] in the order of the subjects, "epoch": what the
        custodian's epoch key holds, empty before its first change}. Subjects belong to one custodian
        (QUERY_SEVERAL_CUSTODIANS).
        """
        at = proposal_instant(ctx)
        subjects_read = await read(ctx, *(keys.subject(subject) for subject in query.subjects))
        subjects = [
            subjects_read.optional(SubjectConsents, keys.subject(subject)) for subject in query.subjects
        ]
        custodians = list(dict.fromkeys(subject.custodian for subject in subjects if subject is not None))
        if not custodians:
            return {"permitted": [None] * len(subjects), "epoch": ""}
        if len(custodians) > 1:
            raise LedgerError("QUERY_SEVERAL_CUSTODIANS")
        epoch_key = keys.epoch(custodians[0])
        known = [subject for subject in subjects if subject is not None]
        state = await read(
            ctx, epoch_key, *(keys.consent(id_) for subject in known for id_ in subject.consents)
        )
        permitted = [_permitting(state, subject, query, at) for subject in subjects]
        return {"permitted": permitted, "epoch": state.text(epoch_key) or ""}

    @evaluation
    async def read_private(self, ctx: Context, key: str) -> dict[str, str]:
        """An entry of the caller's own collection, encrypted under the one-time key in transient `key`.

        Raises TRANSIENT_INVALID, PRIVATE_ENTRY_NOT_FOUND.
        """
        return await private_read.read_private(ctx, key)


def _permitting(
    state: Snapshot, subject: SubjectConsents | None, query: PermittedQuery, at: str
) -> str | None:
    for consent_id in reversed(subject.consents if subject is not None else ()):
        consent = state.optional(Consent, keys.consent(consent_id))
        if consent is not None and consent_permits(
            consent, purpose=query.purpose, commercial=query.commercial, recipient=query.recipient, at=at
        ):
            return consent_id
    return None
