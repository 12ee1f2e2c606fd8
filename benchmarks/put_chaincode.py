"""The chaincode that the engine is measured with: put and get of one key."""

from __future__ import annotations

from fabric_shim import Context, Contract, evaluation, run, transaction


class Values(Contract):
    """One value a key."""

    name = "values"

    @transaction
    async def put(self, ctx: Context, key: str, value: str) -> None:
        """Write a value without reading it."""
        await ctx.stub.put_state(key, value.encode())

    @evaluation
    async def get(self, ctx: Context, key: str) -> str:
        """Read a value, empty when there is none."""
        return (await ctx.stub.get_state(key) or b"").decode()


if __name__ == "__main__":
    run([Values()])
