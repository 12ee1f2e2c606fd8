"""Private entries of a subject are purged, and are seen to be gone (GDPR Art. 17; DESIGN.md §8).

A purge takes the values from the collection and its history, though not from files and backups at once; the
destruction of the subject's key, under which the client encrypted them, does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from consentry_records import events, keys
from consentry_records.consent import Consent
from consentry_records.errors import LedgerError
from consentry_records.private_entries import entry_key
from consentry_records.rights_request import ACCEPTED, RightsRequest
from consentry_records.subject import ERASURE, SubjectConsents
from fabric_shim import Context

from .ledger_contract import emit
from .state import read


async def purge(ctx: Context, request: RightsRequest, entries: Sequence[str]) -> None:
    """Purge entries of the request's subject from its custodian's collection, and write nothing public.

    Raises LedgerError RIGHTS_STEP_INVALID, PURGE_KEY_INVALID.
    """
    named = {"rights_request_id": request.rights_request_id}
    if request.right != ERASURE or request.state != ACCEPTED:
        raise LedgerError("RIGHTS_STEP_INVALID", {**named, "state": request.state, "step": "purge"})
    if not all(entry.startswith(f"{request.subject}/") for entry in entries):
        raise LedgerError("PURGE_KEY_INVALID", named)
    collection = keys.collection(request.custodian)
    for entry in entries:
        await ctx.stub.purge_private(collection, entry)
    emit(
        ctx,
        events.PRIVATE_ENTRIES_PURGED,
        rights_request_id=request.rights_request_id,
        custodian=request.custodian,
        count=len(entries),
    )


async def check_erased(ctx: Context, request: RightsRequest) -> None:
    """Every entry that the subject's consents name is gone; raises LedgerError PRIVATE_ENTRY_LEFT."""
    collection = keys.collection(request.custodian)
    for entry in await _entries(ctx, request.subject):
        if await ctx.stub.get_private_hash(collection, entry) is not None:
            raise LedgerError("PRIVATE_ENTRY_LEFT", {"rights_request_id": request.rights_request_id})


async def _entries(ctx: Context, commitment: str) -> list[str]:
    key = keys.subject(commitment)
    subject = (await read(ctx, key)).optional(SubjectConsents, key)
    if subject is None or not subject.consents:
        return []
    consent_keys = {name: keys.consent(name) for name in subject.consents}
    state = await read(ctx, *consent_keys.values())
    entries: dict[str, None] = {}
    for consent_id, consent_key in consent_keys.items():
        consent = state.optional(Consent, consent_key)
        # The first release kept no batch id; its entry has none either.
        for batch_id in (
            dict.fromkeys(event.batch_id for event in consent.events) if consent is not None else ()
        ):
            entries[entry_key(commitment, consent_id, batch_id)] = None
    return list(entries)
