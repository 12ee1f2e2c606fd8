"""Functions that endorsers would disagree about, each for a reason of its own, and some that are fine."""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path

from fabric_shim import Context, Contract, evaluation, transaction

_WORDS = {f"word-{number}" for number in range(20)}


class Differing(Contract):
    name = "differing"

    @transaction
    async def order_of_a_set(self, ctx: Context) -> None:
        for word in _WORDS:
            await ctx.stub.put_state(word, b"1")

    @transaction
    async def day(self, ctx: Context) -> None:
        await ctx.stub.put_state("day", datetime.date.today().isoformat().encode())

    @transaction
    async def hour(self, ctx: Context) -> None:
        ctx.stub.set_event("hour", datetime.datetime.now().strftime("%H %d %m").encode())

    @evaluation
    async def year(self, ctx: Context) -> int:
        return int(time.time() // 86400 // 30)

    @evaluation
    async def zone(self, ctx: Context) -> str:
        return time.tzname[0]

    @evaluation
    async def environment(self, ctx: Context) -> int:
        return len(os.environ)

    @evaluation
    async def directory(self, ctx: Context) -> str:
        return str(Path.cwd())

    @transaction
    async def key(self, ctx: Context) -> None:
        await ctx.stub.get_state(str(hash("a")))


class Agreeing(Contract):
    name = "agreeing"

    @transaction
    async def count(self, ctx: Context, key: str) -> int:
        number = int(await ctx.stub.get_state(key) or b"0") + 1
        for word in sorted(_WORDS):
            await ctx.stub.put_state(word, str(number).encode())
        await ctx.stub.put_state(key, str(number).encode())
        ctx.stub.set_event("Counted", ctx.proposal_time.isoformat().encode())
        return number


class Configured(Contract):
    name = "configured"

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @evaluation
    async def get(self, ctx: Context) -> int:
        return self.limit
