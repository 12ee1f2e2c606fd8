"""Contract `consents`: import, withdrawal, and who consents to what now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consentry_records import events, keys
from consentry_records.consent import MAXIMUM_QUERY, WITHDRAWN, Consent, ConsentBatch, PermittedQuery
from consentry_records.consent_changes import ConsentChange, ConsentChangeBatch
from consentry_records.errors import LedgerError
from consentry_records.grant_rules import Use
from consentry_records.kinds import Many, identifier
from consentry_records.rules import permitting_consent
from consentry_records.subject import SubjectConsents
from fabric_shim import Context, evaluation, transaction

from . import consent_changes, consent_import, private_read
from .ledger_contract import LedgerContract, check_argument, check_identifier, emit, proposal_instant
from .state import read


class Consents(LedgerContract):
    """Functions `consents:…`."""

    name = "consents"

    @transaction
    async def store_private(self, ctx: Context) -> None:
        """Store the private entries of a batch; transient `entries` and `batch` (see `private_entries`).

        Raises TRANSIENT_INVALID, JSON_INVALID, BATCH_NOT_CANONICAL, BATCH_COUNT_DIFFERS, BATCH_ROOT_DIFFERS,
        BATCH_KEY_DIFFERS, BATCH_EXISTS.
        """
        await consent_import.store_private(ctx)

    @transaction
    async def import_batch(self, ctx: Context, batch: ConsentBatch) -> None:
        """Record the consents of a batch whose private entries are committed.

        Raises NOT_CUSTODIAN, BATCH_EXISTS, BATCH_PRIVATE_ENTRY_MISSING, BATCH_PRIVATE_ENTRY_DIFFERS,
        CLAIMED_TOO_LATE, SUBJECT_OF_OTHER_CUSTODIAN, SUBJECT_FULL, SUBJECT_ERASED.
        """
        await consent_import.import_batch(ctx, batch)

    @transaction
    async def withdraw(self, ctx: Context, consent_id: str) -> None:
        """Withdraw a consent (GDPR Art. 7(3)); it is kept, and permits nothing from the next decision on.

        Raises CONSENT_NOT_FOUND, NOT_CUSTODIAN, CONSENT_ALREADY_WITHDRAWN, PROPOSAL_TIME_TOO_EARLY.
        """
        check_identifier("consent_id", "consent", consent_id)
        change = ConsentChange(consent_id=consent_id, change=WITHDRAWN, claimed_at=None, terms=None)
        consent = await consent_changes.change_one(ctx, change)
        emit(ctx, events.CONSENT_WITHDRAWN, consent_id=consent_id, custodian=consent.custodian)

    @transaction
    async def change(self, ctx: Context, batch: ConsentChangeBatch) -> None:
        """Renew, narrow, withdraw, expire or enter in error the caller's consents, all of a batch or none.

        Raises NOT_CUSTODIAN, BATCH_EXISTS, BATCH_PRIVATE_ENTRY_MISSING, BATCH_PRIVATE_ENTRY_DIFFERS,
        CONSENT_NOT_FOUND, PROPOSAL_TIME_TOO_EARLY, and what `consent_changes.changed` raises.
        """
        await consent_changes.change_batch(ctx, batch)

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
        subject_keys = [keys.subject(subject) for subject in query.subjects]
        state = await read(ctx, keys.SETTINGS, *subject_keys)
        subjects = [state.optional(SubjectConsents, key) for key in subject_keys]
        custodians = list(dict.fromkeys(subject.custodian for subject in subjects if subject is not None))
        if not custodians:
            return {"permitted": [None] * len(subjects), "epoch": ""}
        if len(custodians) > 1:
            raise LedgerError("QUERY_SEVERAL_CUSTODIANS")
        kind = state.settings().kind_of(query.recipient)
        epoch, consents = await _consents_of(ctx, custodians[0], subjects)
        use = Use(purpose=query.purpose, commercial=query.commercial)
        permitted = [
            subject
            and permitting_consent(
                subject, consents, use, recipient=query.recipient, recipient_kind=kind, at=at
            )
            for subject in subjects
        ]
        return {"permitted": permitted, "epoch": epoch}

    @evaluation
    async def read_private(self, ctx: Context, key: str) -> dict[str, str]:
        """An entry of the caller's own collection, encrypted under the one-time key in transient `key`.

        Raises TRANSIENT_INVALID, PRIVATE_ENTRY_NOT_FOUND.
        """
        return await private_read.read_private(ctx, key)


async def _consents_of(
    ctx: Context, custodian: str, subjects: Sequence[SubjectConsents | None]
) -> tuple[str, dict[str, Consent]]:
    """What the custodian's epoch key holds, and the subjects' consents by id, read at once."""
    ids = [consent_id for subject in subjects if subject is not None for consent_id in subject.consents]
    state = await read(ctx, keys.epoch(custodian), *(keys.consent(consent_id) for consent_id in ids))
    found = {consent_id: state.optional(Consent, keys.consent(consent_id)) for consent_id in ids}
    epoch = state.text(keys.epoch(custodian)) or ""
    return epoch, {name: consent for name, consent in found.items() if consent is not None}
