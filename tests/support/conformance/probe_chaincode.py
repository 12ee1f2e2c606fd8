"""Chaincode that does what its argument says: a script, a JSON list of operations; it answers their results.

python tests/support/conformance/probe_chaincode.py
"""

from __future__ import annotations

import json
import os
from typing import Any

from fabric_shim import Context, Contract, ContractError, Stub, run, signed_by_n_of, transaction


class Probe(Contract):
    """Every operation of the stub, by name."""

    name = "probe"

    @transaction
    async def run(self, ctx: Context, script: str) -> str:
        """Run a script; its results as JSON, bytes as text."""
        results = [await _perform(ctx.stub, *step) for step in json.loads(script)]
        return json.dumps(results, sort_keys=True, separators=(",", ":"))


async def _perform(stub: Stub, operation: str, *arguments: Any) -> Any:
    handler = globals().get(f"_do_{operation}")
    if handler is None:
        raise ContractError("OPERATION_UNKNOWN", f"there is no operation {operation}")
    return await handler(stub, *arguments)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


async def _do_put(stub: Stub, key: str, value: str) -> None:
    await stub.put_state(key, value.encode())


async def _do_get(stub: Stub, key: str) -> str | None:
    return _text(await stub.get_state(key))


async def _do_get_many(stub: Stub, *keys: str) -> list[str | None]:
    return [_text(value) for value in await stub.get_states(keys)]


async def _do_add(stub: Stub, key: str) -> int:
    number = int(await stub.get_state(key) or b"0") + 1
    await stub.put_state(key, str(number).encode())
    return number


async def _do_delete(stub: Stub, key: str) -> None:
    await stub.delete_state(key)


async def _do_put_many(stub: Stub, prefix: str, count: int) -> None:
    for number in range(count):
        await stub.put_state(f"{prefix}{number:04}", str(number).encode())


async def _do_range(stub: Stub, start: str, end: str, most: int = 10_000) -> list[str]:
    found = []
    async with stub.get_range(start, end) as entries:
        async for key, _ in entries:
            found.append(key)
            if len(found) == most:
                break
    return found


async def _do_page(stub: Stub, start: str, end: str, size: int, bookmark: str = "") -> list[Any]:
    page = await stub.get_range_page(start, end, size, bookmark)
    return [[key for key, _ in page.entries], page.bookmark]


async def _do_put_composite(stub: Stub, kind: str, *attributes: str) -> None:
    await stub.put_state(stub.create_composite_key(kind, attributes), b"x")


async def _do_composite(stub: Stub, kind: str, *attributes: str) -> list[Any]:
    entries = stub.get_by_partial_composite_key(kind, attributes)
    return [list(stub.split_composite_key(key)) async for key, _ in entries]


async def _do_history(stub: Stub, key: str) -> list[Any]:
    return [[item.transaction_id, _text(item.value)] async for item in stub.history(key)]


async def _do_query(stub: Stub, query: str) -> list[str]:
    return [key async for key, _ in stub.query(query)]


async def _do_policy(stub: Stub, key: str, msp_ids: list[str], collection: str = "") -> None:
    policy = signed_by_n_of(len(msp_ids), msp_ids) if msp_ids else b""
    await stub.set_key_policy(key, policy, collection)


async def _do_get_policy(stub: Stub, key: str, collection: str = "") -> str | None:
    value = await stub.get_key_policy(key, collection)
    return None if value is None else value.hex()


async def _do_put_private(stub: Stub, collection: str, key: str, value: str) -> None:
    await stub.put_private(collection, key, value.encode())


async def _do_put_transient(stub: Stub, collection: str, key: str, name: str) -> None:
    await stub.put_private(collection, key, stub.transient[name])


async def _do_get_private(stub: Stub, collection: str, key: str) -> str | None:
    return _text(await stub.get_private(collection, key))


async def _do_get_private_hash(stub: Stub, collection: str, key: str) -> str | None:
    value = await stub.get_private_hash(collection, key)
    return None if value is None else value.hex()


async def _do_delete_private(stub: Stub, collection: str, key: str) -> None:
    await stub.delete_private(collection, key)


async def _do_purge(stub: Stub, collection: str, key: str) -> None:
    await stub.purge_private(collection, key)


async def _do_private_range(stub: Stub, collection: str, start: str, end: str) -> list[str]:
    return [key async for key, _ in stub.get_private_range(collection, start, end)]


async def _do_event(stub: Stub, name: str, payload: str) -> None:
    stub.set_event(name, payload.encode())


async def _do_call(stub: Stub, chaincode: str, script: list[Any], channel: str = "") -> list[Any]:
    arguments = [b"probe:run", json.dumps(script).encode()]
    response = await stub.invoke_chaincode(chaincode, arguments, channel)
    return [response.status, response.message, _text(response.payload)]


async def _do_transient(stub: Stub) -> list[str]:
    return sorted(stub.transient)


async def _do_fail(stub: Stub, status: int, message: str) -> None:
    raise ContractError("REFUSED", message, status=status)


async def _do_crash(stub: Stub) -> None:
    raise ValueError("this text goes nowhere")


async def _do_process(stub: Stub) -> int:
    return os.getpid()


if __name__ == "__main__":
    run([Probe()])
