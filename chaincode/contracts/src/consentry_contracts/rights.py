"""Contract `rights`: requests of data subjects and what was done about them (GDPR Art. 12, 15 to 21)."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.kinds import COMMITMENT, MSP_ID
from consentry_records.rights_request import (
    EXTENDED,
    FULFILLED,
    NOTIFIED,
    NewRightsRequest,
    PurgeOrder,
    RightsEvent,
    RightsFulfilment,
    RightsNotices,
    RightsRequest,
    RightsStep,
    check_step,
    check_stores,
    due_after_extension,
    received,
)
from consentry_records.settings import Settings
from consentry_records.subject import ERASURE
from fabric_shim import Context, evaluation, transaction

from .actors import Actor, check_custodian, member
from .erasure import check_erased, purge
from .ledger_contract import (
    LedgerContract,
    check_argument,
    check_follows,
    check_identifier,
    emit,
    proposal_instant,
)
from .processing_limits import change_limits, limits_of_step
from .state import Snapshot, put, put_owned, read

MAXIMUM_LISTED = 1000


class Rights(LedgerContract):
    """Functions `rights:…`."""

    name = "rights"

    @transaction
    async def receive(self, ctx: Context, request: NewRightsRequest) -> None:
        """Record a request of a subject of the caller's. Until it is decided, its limits hold already.

        Raises RIGHTS_REQUEST_EXISTS, RECEIVED_TOO_LATE, NOT_CUSTODIAN, LIMITS_FULL.
        """
        key = keys.rights(request.rights_request_id)
        state = await read(ctx, keys.SETTINGS, key, keys.subject(request.subject))
        settings = state.settings()
        actor = member(ctx, settings)
        named = {"rights_request_id": request.rights_request_id}
        state.check_absent(key, LedgerError("RIGHTS_REQUEST_EXISTS", named))
        record = received(
            request,
            custodian=actor.msp_id,
            recorded_at=proposal_instant(ctx),
            recorded_by=actor.enrolment_id,
        )
        await put_owned(ctx, key, record, owner=actor.msp_id, settings=settings)
        await _index(ctx, record)
        await change_limits(ctx, state, record, limits_of_step(record))
        _emit(ctx, record)

    @transaction
    async def advance(self, ctx: Context, step: RightsStep) -> None:
        """Acknowledge, extend, accept, reject, cancel a request, or lift a limit that it led to.

        Raises RIGHTS_REQUEST_NOT_FOUND, NOT_CUSTODIAN, RIGHTS_REVISION_DIFFERS, RIGHTS_STEP_INVALID.
        """
        state, before, actor = await _step(ctx, step.rights_request_id, step.step, step.revision)
        after = _with_event(ctx, before, actor, step.step, step.ground)
        if step.step == EXTENDED:
            after = replace(after, due_at=due_after_extension(before))
        else:
            after = replace(after, state=step.step)
        await _write(ctx, before, after)
        await change_limits(ctx, state, after, limits_of_step(after))

    @transaction
    async def purge(self, ctx: Context, order: PurgeOrder) -> None:
        """Purge entries of the caller's collection for an erasure that it accepted, and write nothing else.

        Raises RIGHTS_REQUEST_NOT_FOUND, NOT_CUSTODIAN, RIGHTS_STEP_INVALID, PURGE_KEY_INVALID.
        """
        key = keys.rights(order.rights_request_id)
        state = await read(ctx, keys.SETTINGS, key)
        actor = member(ctx, state.settings())
        request = _request(state, order.rights_request_id)
        check_custodian(actor, request.custodian)
        await purge(ctx, request, order.entries)

    @transaction
    async def fulfil(self, ctx: Context, fulfilment: RightsFulfilment) -> None:
        """Record that an accepted request is fulfilled; an erasure only once no private entry is left.

        Raises RIGHTS_REQUEST_NOT_FOUND, NOT_CUSTODIAN, RIGHTS_REVISION_DIFFERS, RIGHTS_STEP_INVALID,
        STORES_INVALID, PRIVATE_ENTRY_LEFT.
        """
        _, before, actor = await _step(ctx, fulfilment.rights_request_id, FULFILLED, fulfilment.revision)
        check_stores(before.right, fulfilment.stores, fulfilment.purged)
        if before.right == ERASURE:
            await check_erased(ctx, before)
        after = replace(
            _with_event(ctx, before, actor, FULFILLED),
            state=FULFILLED,
            purged=fulfilment.purged,
            stores=fulfilment.stores,
        )
        await _write(ctx, before, after)

    @transaction
    async def notify(self, ctx: Context, notices: RightsNotices) -> None:
        """Record which recipients were told (GDPR Art. 19).

        Raises RIGHTS_REQUEST_NOT_FOUND, NOT_CUSTODIAN, RIGHTS_REVISION_DIFFERS, RIGHTS_STEP_INVALID,
        ORGANIZATION_UNKNOWN.
        """
        state, before, actor = await _step(ctx, notices.rights_request_id, NOTIFIED, notices.revision)
        for notice in notices.notices:
            if state.settings().kind_of(notice.recipient) is None:
                raise LedgerError("ORGANIZATION_UNKNOWN", {"msp_id": notice.recipient})
        after = replace(
            _with_event(ctx, before, actor, NOTIFIED), notices=(*before.notices, *notices.notices)
        )
        await _write(ctx, before, after)

    @evaluation
    async def get(self, ctx: Context, rights_request_id: str) -> RightsRequest:
        """A request; raises RIGHTS_REQUEST_NOT_FOUND."""
        check_identifier("rights_request_id", "rightsrequest", rights_request_id)
        return _request(await read(ctx, keys.rights(rights_request_id)), rights_request_id)

    @evaluation
    async def of_subject(self, ctx: Context, subject: str) -> list[RightsRequest]:
        """A subject's requests, at most 1000."""
        check_argument("subject", COMMITMENT, subject)
        return await _listed(ctx, keys.RIGHTS_OF_SUBJECT, [subject])

    @evaluation
    async def unanswered(self, ctx: Context, custodian: str) -> list[RightsRequest]:
        """A custodian's open requests, at most 1000, in the order in which they are due.

        Raises ORGANIZATION_UNKNOWN.
        """
        check_argument("custodian", MSP_ID, custodian)
        if (await read(ctx, keys.SETTINGS)).settings().kind_of(custodian) is None:
            raise LedgerError("ORGANIZATION_UNKNOWN", {"msp_id": custodian})
        return await _listed(ctx, keys.OPEN_RIGHTS, [custodian])


def _request(state: Snapshot, rights_request_id: str) -> RightsRequest:
    missing = LedgerError("RIGHTS_REQUEST_NOT_FOUND", {"rights_request_id": rights_request_id})
    return state.required(RightsRequest, keys.rights(rights_request_id), missing)


async def _step(
    ctx: Context, rights_request_id: str, step: str, revision: int
) -> tuple[Snapshot, RightsRequest, Actor]:
    """The request and its subject as read, checked for this step by this caller."""
    key = keys.rights(rights_request_id)
    state = await read(ctx, keys.SETTINGS, key)
    settings: Settings = state.settings()
    actor = member(ctx, settings)
    request = _request(state, rights_request_id)
    check_custodian(actor, request.custodian)
    check_step(request, step, revision)
    check_follows(proposal_instant(ctx), request.events[-1].recorded_at, settings)
    return await read(ctx, keys.SETTINGS, key, keys.subject(request.subject)), request, actor


def _with_event(
    ctx: Context, request: RightsRequest, actor: Actor, event: str, ground: str | None = None
) -> RightsRequest:
    happened = RightsEvent(
        event=event, recorded_at=proposal_instant(ctx), recorded_by=actor.enrolment_id, ground=ground
    )
    return replace(request, events=(*request.events, happened))


async def _write(ctx: Context, before: RightsRequest, after: RightsRequest) -> None:
    await put(ctx, keys.rights(after.rights_request_id), after)
    if (before.is_open, before.due_at) != (after.is_open, after.due_at):
        await ctx.stub.delete_state(
            keys.open_rights(before.custodian, before.due_at, before.rights_request_id)
        )
        if after.is_open:
            await _index_open(ctx, after)
    _emit(ctx, after)


async def _index(ctx: Context, request: RightsRequest) -> None:
    by_subject = keys.rights_of_subject(request.subject, request.rights_request_id)
    await ctx.stub.put_state(by_subject, request.rights_request_id.encode("ascii"))
    await _index_open(ctx, request)


async def _index_open(ctx: Context, request: RightsRequest) -> None:
    key = keys.open_rights(request.custodian, request.due_at, request.rights_request_id)
    await ctx.stub.put_state(key, request.rights_request_id.encode("ascii"))


async def _listed(ctx: Context, index: str, parts: list[str]) -> list[RightsRequest]:
    ids: list[str] = []
    async for _, value in ctx.stub.get_by_partial_composite_key(index, parts):
        ids.append(value.decode("ascii"))
        if len(ids) == MAXIMUM_LISTED:
            break
    state = await read(ctx, *(keys.rights(id_) for id_ in ids)) if ids else Snapshot({})
    return [_request(state, id_) for id_ in ids]


def _emit(ctx: Context, request: RightsRequest) -> None:
    fields = {"rights_request_id": request.rights_request_id, "custodian": request.custodian}
    emit(ctx, events.RIGHTS_REQUEST_CHANGED, **fields, state=request.state)
