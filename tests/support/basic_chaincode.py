"""A small real chaincode for tests of engines: `python tests/support/basic_chaincode.py`."""

from __future__ import annotations

import asyncio

from fabric_shim import Context, Contract, ContractError, evaluation, run, signed_by_n_of, transaction


class Basic(Contract):
    """Keys and values, private and public, events, key-level policies, and failures on demand."""

    name = "basic"

    @transaction
    async def put(self, ctx: Context, key: str, value: str) -> str:
        """Write a value and say so in an event."""
        await ctx.stub.put_state(key, value.encode())
        ctx.stub.set_event("put", key.encode())
        return value

    @transaction
    async def put_quietly(self, ctx: Context, key: str, value: str) -> None:
        """Write a value without an event."""
        await ctx.stub.put_state(key, value.encode())

    @transaction
    async def increment(self, ctx: Context, key: str) -> int:
        """Read a number and write the next one: two at once conflict."""
        number = int(await ctx.stub.get_state(key) or b"0") + 1
        await ctx.stub.put_state(key, str(number).encode())
        return number

    @evaluation
    async def get(self, ctx: Context, key: str) -> str:
        """Read a value."""
        value = await ctx.stub.get_state(key)
        if value is None:
            raise ContractError("KEY_NOT_FOUND", "There is no such key.", status=404)
        return value.decode()

    @transaction
    async def protect(self, ctx: Context, key: str, msp_id: str) -> None:
        """Let only one organization's peer endorse writes of a key."""
        await ctx.stub.set_key_policy(key, signed_by_n_of(1, [msp_id]))

    @transaction
    async def put_private(self, ctx: Context, collection: str, key: str) -> None:
        """Write the transient field `value` into a collection."""
        await ctx.stub.put_private(collection, key, ctx.stub.transient["value"])

    @evaluation
    async def get_private(self, ctx: Context, collection: str, key: str) -> str:
        """Read a private value."""
        return (await ctx.stub.get_private(collection, key) or b"").decode()

    @transaction
    async def differ(self, ctx: Context, key: str) -> str:
        """Answer with something else in every process: no two peers agree."""
        await ctx.stub.put_state(key, b"x")
        return str(id(self))

    @transaction
    async def wait(self, ctx: Context, milliseconds: int) -> str:
        """Take a while, as slow work would."""
        await asyncio.sleep(milliseconds / 1000)
        return "waited"


if __name__ == "__main__":
    run([Basic()])
