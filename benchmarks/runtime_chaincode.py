"""What engine and chaincode runtimes are measured with; node_chaincode/chaincode.js is the same contract."""

from __future__ import annotations

from fabric_shim import Context, Contract, evaluation, run, transaction

MANY = 1000


def key_of(prefix: str, number: int) -> str:
    return f"{prefix}{number:04}"


class Bench(Contract):
    """One function for each shape of transaction."""

    name = "bench"

    @transaction
    async def put(self, ctx: Context, key: str, value: str) -> None:
        """One write."""
        await ctx.stub.put_state(key, value.encode())

    @evaluation
    async def get(self, ctx: Context, key: str) -> str:
        """One read."""
        return (await ctx.stub.get_state(key) or b"").decode()

    @transaction
    async def domain(self, ctx: Context, key: str, value: str) -> None:
        """Four reads, three writes, one event."""
        keys = [key_of(key, number) for number in (1, 2, 3, 4)]
        read = await ctx.stub.get_states(keys)
        for name in keys[1:]:
            await ctx.stub.put_state(name, f"{value}{len(read)}".encode())
        ctx.stub.set_event("Done", key.encode())

    @transaction
    async def write_many(self, ctx: Context, prefix: str, value: str) -> None:
        """A thousand writes."""
        for number in range(MANY):
            await ctx.stub.put_state(key_of(prefix, number), value.encode())

    @transaction
    async def read_many(self, ctx: Context, prefix: str) -> int:
        """A thousand reads."""
        return len(await ctx.stub.get_states([key_of(prefix, number) for number in range(MANY)]))


if __name__ == "__main__":
    run([Bench()])
