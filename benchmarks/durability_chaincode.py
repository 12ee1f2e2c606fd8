"""The chaincode of the durability harness: counters, each with a public and a private copy."""

from __future__ import annotations

from fabric_shim import Context, Contract, evaluation, run, transaction

COLLECTION = "both"
KEPT = 3
AUDITED = 20


class Counters(Contract):
    """Counters that lose nothing and double nothing, or show it."""

    name = "counters"

    @transaction
    async def add(self, ctx: Context, counter: str, purges: bool) -> int:
        """Count one further, in public and in private; forget the private entry of `KEPT` counts ago."""
        number = int(await ctx.stub.get_state(counter) or b"0") + 1
        value = str(number).encode()
        await ctx.stub.put_state(counter, value)
        await ctx.stub.put_private(COLLECTION, counter, value)
        await ctx.stub.put_private(COLLECTION, f"{counter}/{number}", value)
        if number > KEPT:
            forget = ctx.stub.purge_private if purges else ctx.stub.delete_private
            await forget(COLLECTION, f"{counter}/{number - KEPT}")
        return number

    @evaluation
    async def audit(self, ctx: Context, counter: str) -> list[int]:
        """The public count, the private one, and the numbers of the latest private entries that are left."""
        public = int(await ctx.stub.get_state(counter) or b"0")
        private = int(await ctx.stub.get_private(COLLECTION, counter) or b"0")
        names = [f"{counter}/{number}" for number in range(max(1, public - AUDITED), public + 2)]
        values = await ctx.stub.get_privates(COLLECTION, names)
        return [public, private, *(int(value) for value in values if value)]


if __name__ == "__main__":
    run([Counters()])
