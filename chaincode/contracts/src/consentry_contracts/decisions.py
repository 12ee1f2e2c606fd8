"""Decisions on attempts: what each rests on is read for all of them at once (DESIGN.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consentry_records import keys
from consentry_records.access import AccessAttempt
from consentry_records.dataset import DatasetVersion
from consentry_records.emergency import REVIEW_MILLISECONDS, EmergencyAccess
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant, Suspension
from consentry_records.instants import shift
from consentry_records.rules import Decision, concerning, decide
from fabric_shim import Context

from .actors import Actor, check_custodian, member
from .ledger_contract import proposal_instant
from .permits import approvals_of
from .state import Snapshot, put, read
from .uses import free_uses, take_use


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision on one attempt rests on."""

    version: DatasetVersion
    grants: list[Grant]
    suspensions: list[Suspension]


async def decide_all(ctx: Context, attempt_ids: Sequence[str]) -> list[Decision]:
    """Decide on attempts at data of the caller's organization and write the decisions, in this order.

    Reads the custodian's epoch and the grants' and suspensions' keys, so that a change which commits first
    voids these decisions (MVCC). Raises LedgerError ATTEMPT_NOT_FOUND, NOT_CUSTODIAN,
    ATTEMPT_ALREADY_DECIDED, VERSION_NOT_FOUND.
    """
    epoch_key = keys.epoch(ctx.caller.msp_id)
    attempt_keys = [keys.attempt(attempt_id) for attempt_id in attempt_ids]
    decision_keys = [keys.decision(attempt_id) for attempt_id in attempt_ids]
    state = await read(ctx, keys.SETTINGS, *attempt_keys, *decision_keys, epoch_key)
    settings = state.settings()
    actor = member(ctx, settings)
    attempts = [_undecided(state, attempt_id, actor) for attempt_id in attempt_ids]
    bases, approvals = await _bases(ctx, attempts), await approvals_of(ctx, attempts)
    epoch, decision_time = state.text(epoch_key) or "", proposal_instant(ctx)
    taken: set[tuple[str, int]] = set()
    decisions = []
    for attempt, basis, approval in zip(attempts, bases, approvals, strict=True):
        grants = [] if attempt.emergency else concerning(attempt, basis.version, basis.grants)
        uses = await free_uses(ctx, attempt.attempt_id, grants, taken)
        decision = decide(
            attempt,
            basis.version,
            basis.grants,
            basis.suspensions,
            settings,
            epoch,
            decision_time,
            uses,
            approval,
        )
        if decision.use is not None and decision.grant_id is not None:
            taken.add((decision.grant_id, decision.use))
        await _write(ctx, attempt, decision)
        decisions.append(decision)
    return decisions


def _undecided(state: Snapshot, attempt_id: str, actor: Actor) -> AccessAttempt:
    named = {"attempt_id": attempt_id}
    attempt = state.required(AccessAttempt, keys.attempt(attempt_id), LedgerError("ATTEMPT_NOT_FOUND", named))
    check_custodian(actor, attempt.custodian)
    state.check_absent(keys.decision(attempt_id), LedgerError("ATTEMPT_ALREADY_DECIDED", named))
    return attempt


async def _bases(ctx: Context, attempts: Sequence[AccessAttempt]) -> list[Basis]:
    """The attempts' versions, and the requesters' grants on them with their suspensions."""
    grants_of: dict[tuple[str, str], list[str]] = {}
    for attempt in attempts:
        asked = (attempt.version_id, attempt.requester_msp)
        if asked not in grants_of:
            grants_of[asked] = await _grants_on(ctx, *asked)
    ids = [grant_id for found in grants_of.values() for grant_id in found]
    state = await read(
        ctx,
        *(keys.version(version_id) for version_id, _ in grants_of),
        *(keys.grant(grant_id) for grant_id in ids),
        *(keys.suspension(grant_id) for grant_id in ids),
    )
    bases = {asked: _basis(state, asked[0], found) for asked, found in grants_of.items()}
    return [bases[attempt.version_id, attempt.requester_msp] for attempt in attempts]


async def _grants_on(ctx: Context, version_id: str, requester_msp: str) -> list[str]:
    found = ctx.stub.get_by_partial_composite_key(keys.GRANT_INDEX, [version_id, requester_msp])
    return [value.decode("ascii") async for _, value in found]


def _basis(state: Snapshot, version_id: str, grant_ids: Sequence[str]) -> Basis:
    missing = LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
    version = state.required(DatasetVersion, keys.version(version_id), missing)
    grants = [state.optional(Grant, keys.grant(grant_id)) for grant_id in grant_ids]
    suspensions = [state.optional(Suspension, keys.suspension(grant_id)) for grant_id in grant_ids]
    return Basis(
        version,
        [grant for grant in grants if grant is not None],
        [suspension for suspension in suspensions if suspension is not None],
    )


async def _write(ctx: Context, attempt: AccessAttempt, decision: Decision) -> None:
    if decision.use is not None and decision.grant_id is not None:
        await take_use(ctx, decision.grant_id, decision.use, attempt.attempt_id)
    if decision.emergency is not None:
        await _open_emergency(ctx, attempt, decision)
    await put(ctx, keys.decision(attempt.attempt_id), decision.record(attempt))


async def _open_emergency(ctx: Context, attempt: AccessAttempt, decision: Decision) -> None:
    """Put on record that this emergency access has to be reviewed, and by when."""
    record = EmergencyAccess(
        attempt_id=attempt.attempt_id,
        custodian=attempt.custodian,
        requester_msp=attempt.requester_msp,
        requester=attempt.requester,
        reason=attempt.emergency or "",
        permitted_at=decision.decided_at,
        review_due=shift(decision.decided_at, REVIEW_MILLISECONDS),
    )
    await put(ctx, keys.emergency(attempt.attempt_id), record)
    index_key = keys.open_emergency(attempt.custodian, attempt.attempt_id)
    await ctx.stub.put_state(index_key, attempt.attempt_id.encode("ascii"))
