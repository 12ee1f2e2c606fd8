"""A chaincode that says everything the protocol has: `python tests/support/protocol_chaincode.py`."""

from __future__ import annotations

import asyncio
from typing import Any

from fabric_shim import (
    Context,
    Contract,
    ContractError,
    PeerError,
    StateIterator,
    evaluation,
    run,
    signed_by_n_of,
    transaction,
)


class Reading(Contract):
    """Every question that a stub can ask a peer; what the peer refuses is told as a result."""

    name = "reading"

    @evaluation
    async def get(self, ctx: Context, key: str) -> str | None:
        """One value."""
        return _text(await ctx.stub.get_state(key))

    @evaluation
    async def get_many(self, ctx: Context, keys: list[str]) -> list[str | None]:
        """Many values in one request."""
        return [_text(value) for value in await ctx.stub.get_states(keys)]

    @evaluation
    async def get_at_once(self, ctx: Context, keys: list[str]) -> list[str | None]:
        """Reads that share a request."""
        return [_text(value) for value in await asyncio.gather(*(ctx.stub.get_state(key) for key in keys))]

    @evaluation
    async def range(self, ctx: Context, start: str, end: str) -> list[str]:
        """Keys of a range, page after page."""
        return await _keys(ctx.stub.get_range(start, end))

    @evaluation
    async def first(self, ctx: Context, start: str, end: str) -> str:
        """The first key of a range, which is then closed."""
        async with ctx.stub.get_range(start, end) as entries:
            async for key, _ in entries:
                return key
        return ""

    @evaluation
    async def page(self, ctx: Context, start: str, end: str, size: int, bookmark: str) -> dict[str, Any]:
        """One page of a range."""
        page = await ctx.stub.get_range_page(start, end, size, bookmark)
        return {"keys": [key for key, _ in page.entries], "bookmark": page.bookmark}

    @evaluation
    async def composite(self, ctx: Context, object_type: str, parts: list[str]) -> list[str]:
        """Composite keys below some parts."""
        entries = ctx.stub.get_by_partial_composite_key(object_type, parts)
        return ["/".join(ctx.stub.split_composite_key(key)[1]) async for key, _ in entries]

    @evaluation
    async def composite_page(self, ctx: Context, object_type: str, parts: list[str], size: int) -> list[str]:
        """One page of composite keys below some parts."""
        page = await ctx.stub.get_by_partial_composite_key_page(object_type, parts, size)
        return ["/".join(ctx.stub.split_composite_key(key)[1]) for key, _ in page.entries]

    @evaluation
    async def history(self, ctx: Context, key: str) -> list[str | None]:
        """A key's values, newest first."""
        return [_text(change.value) async for change in ctx.stub.history(key)]

    @evaluation
    async def query(self, ctx: Context, query: str) -> dict[str, Any]:
        """A rich query, and one page of it: refused by a state database that has none."""
        refused = [await _refusal(_keys(ctx.stub.query(query)))]
        return {"refused": [*refused, await _refusal(ctx.stub.query_page(query, 10))]}

    @evaluation
    async def policy(self, ctx: Context, key: str, collection: str) -> int:
        """Length of a key's policy."""
        return len(await ctx.stub.get_key_policy(key, collection) or b"")

    @evaluation
    async def private(self, ctx: Context, collection: str, key: str) -> dict[str, Any]:
        """Hash and value of a private record, or that the value is refused."""
        found = await ctx.stub.get_private_hash(collection, key)
        try:
            value = await ctx.stub.get_private(collection, key)
        except PeerError as error:
            return {"hash": found and found.hex(), "refused": [error.operation, error.collection]}
        return {"hash": found and found.hex(), "value": _text(value)}

    @evaluation
    async def private_range(self, ctx: Context, collection: str) -> list[str]:
        """Simple and composite keys of a collection."""
        simple = await _keys(ctx.stub.get_private_range(collection, "", ""))
        entries = ctx.stub.get_private_by_partial_composite_key(collection, "kind", [])
        return simple + ["/".join(ctx.stub.split_composite_key(key)[1]) async for key, _ in entries]

    @evaluation
    async def private_query(self, ctx: Context, collection: str, query: str) -> str:
        """A rich query of a collection."""
        return await _refusal(_keys(ctx.stub.query_private(collection, query)))

    @evaluation
    async def proposal(self, ctx: Context) -> dict[str, Any]:
        """What the proposal says; the caller's certificate only by its attributes."""
        stub = ctx.stub
        return {
            "attributes": dict(ctx.caller.attributes),
            "binding": stub.binding.hex(),
            "channel": stub.channel_id,
            "decorations": sorted(stub.decorations),
            "msp": ctx.caller.msp_id,
            "signed": len(stub.signed_proposal),
            "time": ctx.proposal_time.isoformat(),
            "transient": sorted(stub.transient),
        }

    @evaluation
    async def ask(self, ctx: Context, chaincode: str, arguments: list[str], channel: str) -> dict[str, Any]:
        """Another chaincode's answer."""
        encoded = [argument.encode() for argument in arguments]
        try:
            answer = await ctx.stub.invoke_chaincode(chaincode, encoded, channel)
        except PeerError as error:
            return {"refused": error.operation}
        return {"status": answer.status, "payload": answer.payload.hex()}

    @evaluation
    async def write(self, ctx: Context) -> None:
        """What an evaluation must not."""
        await ctx.stub.put_state("k", b"v")


class Writing(Contract):
    """Every write, and every end that a transaction can come to."""

    name = "writing"

    @transaction
    async def put(self, ctx: Context, key: str, value: str) -> None:
        """One write."""
        await ctx.stub.put_state(key, value.encode())

    @transaction
    async def put_many(self, ctx: Context, prefix: str, count: int) -> int:
        """Many writes in the fewest messages."""
        for number in range(count):
            await ctx.stub.put_state(f"{prefix}{number:04}", b"%d" % number)
        return count

    @transaction
    async def change(self, ctx: Context, key: str, value: str) -> None:
        """Reads, writes that replace one another, a delete, and an event."""
        await ctx.stub.get_states([key, "none"])
        await ctx.stub.put_state(key, b"replaced")
        await ctx.stub.put_state(key, value.encode())
        await ctx.stub.delete_state("none")
        await ctx.stub.flush()
        await ctx.stub.put_state(f"{key}.after", value.encode())
        ctx.stub.set_event("first", b"")
        ctx.stub.set_event("Changed.v1", key.encode())

    @transaction
    async def remove(self, ctx: Context, key: str) -> None:
        """One delete."""
        await ctx.stub.delete_state(key)

    @transaction
    async def composite(self, ctx: Context, object_type: str, parts: list[str]) -> None:
        """A composite key."""
        await ctx.stub.put_state(ctx.stub.create_composite_key(object_type, parts), b"v")

    @transaction
    async def protect(self, ctx: Context, key: str, msp_ids: list[str], collection: str) -> None:
        """A key's policy; no organization removes it."""
        policy = signed_by_n_of(1, msp_ids) if msp_ids else b""
        await ctx.stub.set_key_policy(key, policy, collection)

    @transaction
    async def private(self, ctx: Context, collection: str, key: str) -> None:
        """Private records from the transient map."""
        await ctx.stub.put_private(collection, key, ctx.stub.transient["value"])
        composite = ctx.stub.create_composite_key("kind", [key])
        await ctx.stub.put_private(collection, composite, ctx.stub.transient["value"])

    @transaction
    async def remove_private(self, ctx: Context, collection: str, key: str) -> None:
        """A private delete."""
        await ctx.stub.delete_private(collection, key)

    @transaction
    async def purge(self, ctx: Context, collection: str, key: str) -> None:
        """A purge."""
        await ctx.stub.purge_private(collection, key)

    @transaction
    async def after_page(self, ctx: Context) -> None:
        """A write that the peer refuses, for a page was read."""
        await ctx.stub.get_range_page("", "", 1)
        await ctx.stub.put_state("k", b"v")

    @transaction
    async def unknown_collection(self, ctx: Context) -> None:
        """A batch of which the peer refuses one."""
        await ctx.stub.put_state("k", b"v")
        await ctx.stub.put_private("nowhere", "k", b"v")
        await ctx.stub.put_state("l", b"v")

    @transaction
    async def refuse(self, ctx: Context) -> None:
        """The contract's own refusal."""
        await ctx.stub.put_state("k", b"v")
        raise ContractError("NOT_TODAY", "the contract refuses", {"day": 7}, status=409)

    @transaction
    async def fail(self, ctx: Context) -> None:
        """An exception that no contract should raise."""
        raise RuntimeError("secret")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


async def _keys(entries: StateIterator) -> list[str]:
    return [key async for key, _ in entries]


async def _refusal(asked: Any) -> str:
    try:
        await asked
    except PeerError as error:
        return error.operation
    return ""


CONTRACTS = (Reading, Writing)

if __name__ == "__main__":
    run([contract() for contract in CONTRACTS])
