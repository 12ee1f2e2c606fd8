"""How writes reach the peer: gathered, in order, with their errors."""

import pytest
from fabric_protos.peer import chaincode_shim_pb2, proposal_response_pb2
from support.scripted_peer import (
    Message,
    answered,
    call,
    keys_of,
    requests,
    response_of,
)

from fabric_shim import ContractError, PeerError

PAGE = "GET_STATE_BY_RANGE"


async def test_writes_are_gathered_and_sent_before_the_answer_last_value_kept():
    async def function(stub):
        await stub.put_state("a", b"1")
        await stub.put_state("b", b"2")
        await stub.put_state("a", b"3")
        await stub.delete_state("c")
        await stub.set_key_policy("a", b"policy")
        await stub.put_private("p", "a", b"secret")
        return b""

    peer, answer = await call(function)
    answered(answer)
    assert requests(peer) == ["WRITE_BATCH_STATE"]
    assert keys_of(peer.seen[1]) == [
        (Message.PUT_STATE, "b"),
        (Message.PUT_STATE, "a"),
        (Message.DEL_STATE, "c"),
        (Message.PUT_STATE_METADATA, "a"),
        (Message.PUT_STATE, "a"),
    ]
    records = chaincode_shim_pb2.WriteBatchState.FromString(peer.seen[1].payload).rec
    assert (records[1].value, records[3].metadata.value, records[4].collection) == (b"3", b"policy", "p")
    assert records[3].metadata.metakey == "VALIDATION_PARAMETER"


async def test_a_purge_neither_replaces_nor_is_replaced():
    async def function(stub):
        await stub.put_private("p", "k", b"1")
        await stub.purge_private("p", "k")
        await stub.put_private("p", "other", b"2")
        await stub.purge_private("p", "k")
        return b""

    peer, _ = await call(function)
    purge, put = Message.PURGE_PRIVATE_DATA, Message.PUT_STATE
    assert keys_of(peer.seen[1]) == [(put, "k"), (purge, "k"), (put, "other"), (purge, "k")]


async def test_many_values_are_gathered_in_their_order():
    values = {f"k{number}": b"%d" % number * (number + 1) for number in range(250)}

    async def function(stub):
        await stub.put_state("k7", b"replaced")
        await stub.put_states(values)
        await stub.put_privates("p", values)
        return b""

    peer, answer = await call(function, batch=100)
    answered(answer)
    assert requests(peer) == ["WRITE_BATCH_STATE"] * 5
    sent = [
        record
        for message in peer.seen[1:6]
        for record in chaincode_shim_pb2.WriteBatchState.FromString(message.payload).rec
    ]
    assert {record.type for record in sent} == {Message.PUT_STATE}
    found = [(record.collection, record.key, record.value) for record in sent]
    assert found == [("", *item) for item in values.items()] + [("p", *item) for item in values.items()]


async def test_one_write_needs_no_batch():
    async def function(stub):
        await stub.put_state("k", b"v")
        return b""

    peer, _ = await call(function)
    assert requests(peer) == ["PUT_STATE"]


async def test_without_batches_each_write_is_sent_at_once():
    async def function(stub):
        await stub.put_state("k", b"v")
        await stub.get_state("k")
        await stub.delete_state("k")
        await stub.purge_private("c", "k")
        await stub.set_key_policy("k", b"")
        return b""

    peer, _ = await call(function, batch=0)
    expected = ["PUT_STATE", "GET_STATE", "DEL_STATE", "PURGE_PRIVATE_DATA", "PUT_STATE_METADATA"]
    assert requests(peer) == expected


@pytest.mark.parametrize("batch", [0, 100])
async def test_a_removed_policy_leaves_no_empty_policy_behind(batch):
    async def function(stub):
        await stub.put_state("k", b"v")
        await stub.set_key_policy("k", b"")
        return b""

    peer, _ = await call(function, batch=batch)
    last = peer.seen[-2].payload  # the message before the answer
    write = (
        chaincode_shim_pb2.WriteBatchState.FromString(last).rec[-1]
        if batch
        else chaincode_shim_pb2.PutStateMetadata.FromString(last)
    )
    assert write.HasField("metadata")
    assert (write.metadata.metakey, write.metadata.value) == ("", b"")


async def test_full_batches_are_sent_early():
    async def function(stub):
        for number in range(250):
            await stub.put_state(str(number), b"v")
        return b""

    peer, _ = await call(function, batch=100)
    assert requests(peer) == ["WRITE_BATCH_STATE"] * 3
    assert [key for message in peer.seen for _, key in keys_of(message)] == [str(n) for n in range(250)]


async def test_large_values_are_sent_early():
    async def function(stub):
        for number in range(3):
            await stub.put_state(str(number), bytes(5 * 2**20))
        return b""

    peer, _ = await call(function)
    assert requests(peer) == ["WRITE_BATCH_STATE", "PUT_STATE"]


async def test_a_refused_batch_is_attributed_to_its_write():
    seen = []

    async def function(stub):
        for key in ("a", "bad", "c"):
            await stub.put_private("p", key, b"v")
        try:
            await stub.flush()
        except PeerError as error:
            seen.append((error.operation, error.collection, error.key))
        return b"caught"

    def setup(peer):
        peer.refuse[Message.PUT_STATE, "bad"] = "no"

    peer, answer = await call(function, setup)
    assert seen == [("PUT_STATE", "p", "bad")]
    assert requests(peer) == ["WRITE_BATCH_STATE", "PUT_STATE", "PUT_STATE"]
    # The refusal fails the transaction although the contract caught it: its writes are not all there.
    assert (response_of(answer).status, "PEER_REFUSED" in response_of(answer).message) == (500, True)


async def test_writes_of_a_failing_function_are_not_sent():
    async def function(stub):
        await stub.put_state("k", b"v")
        raise ContractError("REFUSED", "no")

    peer, answer = await call(function)
    assert requests(peer) == []
    assert response_of(answer).status == 400


@pytest.mark.parametrize("operation", ["invoke", "page", "private_range", "private_query"])
async def test_operations_that_need_order_send_the_writes_first(operation):
    async def function(stub):
        await stub.put_state("k", b"v")
        if operation == "invoke":
            await stub.invoke_chaincode("other", [b"f"])
        elif operation == "page":
            await stub.get_range_page("", "", 10)
        elif operation == "private_range":
            [entry async for entry in stub.get_private_range("c", "", "")]
        else:
            [entry async for entry in stub.query_private("c", "{}")]
        return b""

    def setup(peer):
        response = proposal_response_pb2.Response(status=200).SerializeToString()
        callee = Message(type=Message.COMPLETED, payload=response)
        peer.answers[Message.INVOKE_CHAINCODE] = [callee.SerializeToString()]

    peer, answer = await call(function, setup)
    answered(answer)
    assert requests(peer)[0] == "PUT_STATE"
    assert len(requests(peer)) == 2


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("KEY_INVALID", lambda stub: stub.put_state("", b"v")),
        ("KEY_INVALID", lambda stub: stub.put_state("\ud800", b"v")),
        ("KEY_INVALID", lambda stub: stub.put_state(b"k", b"v")),
        ("KEY_INVALID", lambda stub: stub.get_states("abc")),
        ("VALUE_EMPTY", lambda stub: stub.put_state("k", b"")),
        ("VALUE_INVALID", lambda stub: stub.put_state("k", "v")),
        ("VALUE_EMPTY", lambda stub: stub.put_private("c", "k", b"")),
        ("VALUE_EMPTY", lambda stub: stub.put_states({"j": b"v", "k": b""})),
        ("KEY_INVALID", lambda stub: stub.put_privates("c", {"k": b"v", "": b"v"})),
        ("COLLECTION_INVALID", lambda stub: stub.put_privates("", {"k": b"v"})),
        ("COLLECTION_INVALID", lambda stub: stub.get_private("", "k")),
        ("COLLECTION_INVALID", lambda stub: stub.purge_private("", "k")),
        ("POLICY_INVALID", lambda stub: stub.set_key_policy("k", "policy")),
        ("PAGE_SIZE_INVALID", lambda stub: stub.get_range_page("", "", 0)),
        ("PAGE_SIZE_INVALID", lambda stub: stub.query_page("{}", 2**31)),
    ],
)
async def test_bad_arguments_are_refused_before_anything_is_sent(code, function):
    async def run(stub):
        await function(stub)
        return b""

    peer, answer = await call(run)
    assert code in response_of(answer).message
    assert requests(peer) == []
