"""A second chaincode for tests of several on one channel: `python …/greeting_chaincode.py WORD`."""

from __future__ import annotations

import sys

from fabric_shim import Context, Contract, evaluation, run, transaction


class Greeting(Contract):
    """Greets with the word that this version was started with."""

    name = "greeting"

    @transaction
    async def greet(self, ctx: Context, name: str) -> str:
        """Keep and return a greeting, and note it with the chaincode that was here before."""
        greeting = f"{sys.argv[1]} {name}"
        await ctx.stub.put_state(name, greeting.encode())
        noted = await ctx.stub.invoke_chaincode("basic", [b"basic:put", name.encode(), greeting.encode()])
        return noted.payload.decode()

    @evaluation
    async def last(self, ctx: Context, name: str) -> str:
        """The greeting that was kept, whichever version kept it."""
        return (await ctx.stub.get_state(name) or b"").decode()


if __name__ == "__main__":
    run([Greeting()])
