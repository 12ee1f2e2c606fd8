"""What requests of data subjects do to the limits on the use of their data."""

from __future__ import annotations

from collections.abc import Sequence

from consentry_records import keys
from consentry_records.errors import LedgerError
from consentry_records.rights_request import ACCEPTED, CANCELLED, LIFTED, RECEIVED, REJECTED, RightsRequest
from consentry_records.subject import (
    ERASURE,
    LIMITS,
    OBJECTION,
    RESTRICTION,
    ProcessingLimit,
    SubjectConsents,
)
from fabric_shim import Context

from .state import Snapshot, advance_epoch, put

_AT_RECEIPT = {ERASURE: RESTRICTION, RESTRICTION: RESTRICTION, OBJECTION: OBJECTION}


def limits_of_step(request: RightsRequest) -> Sequence[str] | None:
    """The kinds of limits that a request puts on its subject by its last step; None where nothing changes.

    Whoever asks for erasure, restriction, or objects is heard from the receipt on: processing waits for the
    decision (GDPR Art. 18(1)(d)).
    """
    if request.right not in _AT_RECEIPT:
        return None
    happened = request.events[-1].event
    if happened == RECEIVED:
        return (_AT_RECEIPT[request.right],)
    if happened in (REJECTED, CANCELLED, LIFTED):
        return ()
    if happened == ACCEPTED and request.right == ERASURE:
        return (ERASURE,)
    return None


async def change_limits(
    ctx: Context, state: Snapshot, request: RightsRequest, kinds: Sequence[str] | None
) -> None:
    """Put the request's limits on its subject, in place of those that it put there before.

    Raises LedgerError NOT_CUSTODIAN, LIMITS_FULL.
    """
    key = keys.subject(request.subject)
    known = state.optional(SubjectConsents, key)
    if known is not None and known.custodian != request.custodian:
        raise LedgerError("NOT_CUSTODIAN", {"custodian": known.custodian, "msp_id": request.custodian})
    if kinds is None:
        return
    changed = known or SubjectConsents(
        subject=request.subject, custodian=request.custodian, consents=(), limits=()
    )
    for kind in LIMITS:
        changed = changed.without(kind=kind, rights_request_id=request.rights_request_id)
    for kind in kinds:
        changed = changed.with_limit(_limit(request, kind))
    await put(ctx, key, changed)
    if kinds:
        await advance_epoch(ctx, request.custodian)


def _limit(request: RightsRequest, kind: str) -> ProcessingLimit:
    last = request.events[-1]
    return ProcessingLimit(
        kind=kind,
        purposes=request.purposes if kind == OBJECTION else (),
        since=last.recorded_at,
        claimed_at=request.received_at,
        recorded_by=last.recorded_by,
        rights_request_id=request.rights_request_id,
    )
