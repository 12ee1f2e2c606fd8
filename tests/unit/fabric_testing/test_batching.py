"""Gathered writes leave the same read-write set as writes sent one by one, to public and private state."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_protocol.topology import CollectionDefinition
from fabric_shim import Context, Contract, signed_by_n_of, transaction
from fabric_testing import Ledger

KEYS = st.sampled_from(["a", "b", "é", "\U0001f600"])
SOME = st.sampled_from(["1", "2", "3"])
OPERATIONS = st.one_of(
    st.tuples(st.just("put"), KEYS, SOME),
    st.tuples(st.just("delete"), KEYS, st.just("")),
    st.tuples(st.just("policy"), KEYS, SOME),
    st.tuples(st.just("put_private"), KEYS, SOME),
    st.tuples(st.just("delete_private"), KEYS, st.just("")),
    st.tuples(st.just("purge_private"), KEYS, st.just("")),
    st.tuples(st.just("private_policy"), KEYS, SOME),
    st.tuples(st.just("flush"), st.just(""), st.just("")),
    st.tuples(st.just("read"), KEYS, st.just("")),
)


class Writer(Contract):
    name = "writer"

    @transaction
    async def write(self, ctx: Context, operations: list[list[str]]) -> None:
        stub = ctx.stub
        for name, key, value in operations:
            match name:
                case "put":
                    await stub.put_state(key, value.encode())
                case "delete":
                    await stub.delete_state(key)
                case "policy":
                    await stub.set_key_policy(key, signed_by_n_of(int(value), ["A", "B", "C"]))
                case "put_private":
                    await stub.put_private("c", key, value.encode())
                case "delete_private":
                    await stub.delete_private("c", key)
                case "purge_private":
                    await stub.purge_private("c", key)
                case "private_policy":
                    await stub.set_key_policy(key, signed_by_n_of(int(value), ["A", "B", "C"]), "c")
                case "flush":
                    await stub.flush()
                case "read":
                    await stub.get_states([key, "a", "b"])


def written(operations, *, batching):
    collection = CollectionDefinition(name="c", members="OR('AMSP.member')")
    ledger = Ledger([Writer()], ["AMSP"], collections=[collection], batching=batching)
    endorsed = asyncio.run(ledger.endorse(ledger.caller("AMSP"), "writer:write", operations))
    return endorsed.rwset, endorsed.private


@settings(max_examples=60, deadline=None)
@given(st.lists(OPERATIONS, max_size=12))
def test_batched_and_single_writes_come_to_the_same(operations):
    assert written(operations, batching=True) == written(operations, batching=False)
