"""Limited uses of grants: each is a key that a permit writes once, so that no two permits share one
(DESIGN.md §6).

Which key a decision tries first follows from the ids of its transaction and attempt: decisions in flight at
the same time seldom meet at the same one, and one that is made anew looks elsewhere. Only where all tried are
taken are all read, for "exhausted" has to be true.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from consentry_records import keys
from consentry_records.grant import Grant
from fabric_shim import Context

from .state import read

CLOSED = b"closed"
_PROBES = 3


async def free_uses(
    ctx: Context, attempt_id: str, grants: Sequence[Grant], taken: Collection[tuple[str, int]]
) -> dict[str, int]:
    """For each grant with limited uses one that is left; one with none is missing. At most two requests.

    `taken` are uses that this very transaction took: what it wrote is not read back.
    """
    limited = {grant.grant_id: grant.use_slots for grant in grants if grant.use_slots is not None}
    probes = {grant_id: _probes(ctx, attempt_id, grant_id, slots) for grant_id, slots in limited.items()}
    found = await _first_free(ctx, probes, taken)
    rest = {
        grant_id: _rotated(probes[grant_id][0], slots)
        for grant_id, slots in limited.items()
        if grant_id not in found and slots > len(set(probes[grant_id]))
    }
    return {**found, **await _first_free(ctx, rest, taken)}


async def close_uses(ctx: Context, grant: Grant, narrowed: Grant) -> None:
    """Close as many free uses as the smaller maximum leaves out; uses that were taken count."""
    slots, maximum = grant.use_slots, narrowed.conditions.maximum_uses
    if slots is None or maximum is None:
        return
    numbers = range(1, slots + 1)
    state = await read(ctx, *(keys.use(grant.grant_id, number) for number in numbers))
    values = {number: state.text(keys.use(grant.grant_id, number)) for number in numbers}
    closed = sum(value == CLOSED.decode() for value in values.values())
    free = [number for number, value in values.items() if value is None]
    for number in free[: max(0, slots - maximum - closed)]:
        await ctx.stub.put_state(keys.use(grant.grant_id, number), CLOSED)


async def take_use(ctx: Context, grant_id: str, number: int, attempt_id: str) -> None:
    """Take a use for the permit on an attempt."""
    await ctx.stub.put_state(keys.use(grant_id, number), attempt_id.encode("ascii"))


async def _first_free(
    ctx: Context, numbers: dict[str, list[int]], taken: Collection[tuple[str, int]]
) -> dict[str, int]:
    wanted = [keys.use(grant_id, number) for grant_id, tried in numbers.items() for number in tried]
    if not wanted:
        return {}
    state = await read(ctx, *wanted)
    found = {}
    for grant_id, tried in numbers.items():
        left = (number for number in tried if (grant_id, number) not in taken)
        free = next((number for number in left if state.text(keys.use(grant_id, number)) is None), None)
        if free is not None:
            found[grant_id] = free
    return found


def _probes(ctx: Context, attempt_id: str, grant_id: str, slots: int) -> list[int]:
    seed = hashlib.sha256(f"{ctx.transaction_id}/{attempt_id}/{grant_id}".encode()).digest()
    return [int.from_bytes(seed[4 * i : 4 * i + 4], "big") % slots + 1 for i in range(_PROBES)]


def _rotated(first: int, slots: int) -> list[int]:
    return [(first + step - 1) % slots + 1 for step in range(slots)]
