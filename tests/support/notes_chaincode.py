"""A small chaincode service, run as a process of its own by integration tests."""

from __future__ import annotations

import asyncio

from fabric_shim import Context, Contract, evaluation, run, transaction


class Notes(Contract):
    """Notes by key."""

    name = "notes"

    @transaction
    async def write(self, ctx: Context, key: str, value: str) -> None:
        """Keep a note."""
        await ctx.stub.put_state(key, value.encode())

    @evaluation
    async def read(self, ctx: Context, key: str) -> str:
        """Read a note."""
        return (await ctx.stub.get_state(key) or b"").decode()

    @transaction
    async def wait(self, ctx: Context, milliseconds: int) -> str:
        """Ask for some state, and take a while then, as slow work would."""
        await ctx.stub.get_state("begun")
        await asyncio.sleep(milliseconds / 1000)
        return "waited"


if __name__ == "__main__":
    run([Notes()])
