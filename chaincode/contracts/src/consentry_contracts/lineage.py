"""Walks along the ledger's index keys and from record to record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from consentry_records import keys
from consentry_records.errors import LedgerError
from consentry_records.model import ModelVersion
from consentry_records.record import Record
from fabric_shim import Context

from .state import read

R = TypeVar("R", bound=Record)
_READ_AT_ONCE = 500
MAXIMUM_LISTED = 1000


class Search:
    """Follows composite keys from ids to ids, up to a number of records in all."""

    def __init__(self, ctx: Context, maximum: int) -> None:
        self.ctx = ctx
        self.complete = True
        self._left = maximum

    async def step(self, start: Sequence[str], index: str) -> list[str]:
        """The ids that an index holds for some ids, each once, in the order of the keys."""
        found: dict[str, None] = {}
        for part in start:
            async for _, value in self.ctx.stub.get_by_partial_composite_key(index, [part]):
                name = value.decode("ascii")
                if name in found:
                    continue
                if self._left == 0:
                    self.complete = False
                    return list(found)
                self._left -= 1
                found[name] = None
        return list(found)

    async def closure(self, start: Sequence[str], index: str) -> list[str]:
        """Some ids and all that are reached from them over one index."""
        found = dict.fromkeys(start)
        frontier = list(found)
        while frontier:
            frontier = [name for name in await self.step(frontier, index) if name not in found]
            found.update(dict.fromkeys(frontier))
        return list(found)


async def ancestry(ctx: Context, model_version_id: str, maximum: int | None = None) -> list[ModelVersion]:
    """A model version and the line of its parents, nearest first, all of them or at most some.

    A parent is on the ledger before its child, so that the line ends. Raises MODEL_VERSION_NOT_FOUND.
    """
    found: list[ModelVersion] = []
    wanted: str | None = model_version_id
    while wanted is not None and len(found) != maximum:
        key = keys.model_version(wanted)
        missing = LedgerError("MODEL_VERSION_NOT_FOUND", {"model_version_id": wanted})
        found.append((await read(ctx, key)).required(ModelVersion, key, missing))
        wanted = found[-1].parent
    return found


async def listed(entries: AsyncIterator[tuple[str, bytes]]) -> list[str]:
    """The ids that some index keys hold, in the order of the keys, at most 1000."""
    found: list[str] = []
    async for _, value in entries:
        found.append(value.decode("ascii"))
        if len(found) == MAXIMUM_LISTED:
            break
    return found


async def records_of(ctx: Context, record: type[R], key: Callable[[str], str], ids: Sequence[str]) -> list[R]:
    """The records of some ids, each once and in their order; those that are not there are left out."""
    names = list(dict.fromkeys(ids))
    found: list[R] = []
    for start in range(0, len(names), _READ_AT_ONCE):
        part = [key(name) for name in names[start : start + _READ_AT_ONCE]]
        state = await read(ctx, *part)
        found.extend(known for known in (state.optional(record, name) for name in part) if known is not None)
    return found
