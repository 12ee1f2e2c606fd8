"""What the stub sends, message by message, and what it makes of the answers."""

import asyncio
import hashlib
from datetime import UTC, datetime

import pytest
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2
from support.scripted_peer import (
    PROPOSAL_TIME,
    FunctionChaincode,
    Message,
    call,
    conversation_with,
    keys_of,
    response_of,
)

from fabric_shim import ContractError, KeyInvalidError, PeerError, ShimError

PAGE = "GET_STATE_BY_RANGE"


def answered(answer):
    """Payload of a response that is no error."""
    response = response_of(answer)
    assert response.status == 200, response.message
    return response.payload


def kv_page(keys, *, has_more=False, query_id="q", bookmark=None):
    page = chaincode_shim_pb2.QueryResponse(has_more=has_more, id=query_id)
    if bookmark is not None:
        page.metadata = chaincode_shim_pb2.QueryResponseMetadata(bookmark=bookmark).SerializeToString()
    for key in keys:
        page.results.add(resultBytes=kv_query_result_pb2.KV(key=key, value=b"v").SerializeToString())
    return page.SerializeToString()


def requests(peer):
    """Types of the requests, without registration and answer."""
    return peer.types()[1:-1]


# reading


async def test_reads_return_values_and_none():
    async def function(stub):
        return repr([await stub.get_state("k"), await stub.get_state("none")]).encode()

    def setup(peer):
        peer.state["", "k"] = b"v"

    peer, answer = await call(function, setup)
    assert answered(answer) == b"[b'v', None]"
    assert requests(peer) == ["GET_STATE", "GET_STATE"]


@pytest.mark.parametrize(
    ("offer", "expected"),
    [({"multiple": 1000}, ["GET_STATE_MULTIPLE"]), ({"multiple": 0}, ["GET_STATE"] * 3)],
)
async def test_many_keys_take_one_request_where_the_peer_can(offer, expected):
    async def function(stub):
        return repr(await stub.get_states(["a", "b", "c"])).encode()

    def setup(peer):
        peer.state.update({("", "a"): b"1", ("", "c"): b"3"})

    peer, answer = await call(function, setup, **offer)
    assert answered(answer) == b"[b'1', None, b'3']"
    assert requests(peer) == expected


async def test_many_keys_are_cut_to_what_the_peer_takes():
    async def function(stub):
        return str(len(await stub.get_states([str(number) for number in range(250)]))).encode()

    peer, answer = await call(function, multiple=100)
    assert answered(answer) == b"250"
    assert requests(peer) == ["GET_STATE_MULTIPLE"] * 3


async def test_reads_made_at_once_share_a_request():
    async def function(stub):
        values = await asyncio.gather(*(stub.get_state(key) for key in "abcda"))
        return b",".join(value or b"-" for value in values)

    def setup(peer):
        peer.state.update({("", key): key.encode() for key in "abd"})

    peer, answer = await call(function, setup)
    assert answered(answer) == b"a,b,-,d,a"
    assert requests(peer) == ["GET_STATE", "GET_STATE_MULTIPLE"]


async def test_a_refused_shared_read_is_asked_again_key_by_key():
    async def function(stub):
        results = await asyncio.gather(*(stub.get_state(key) for key in "abc"), return_exceptions=True)
        return b",".join(result if isinstance(result, bytes) else b"!" for result in results)

    def setup(peer):
        peer.refuse[Message.GET_STATE_MULTIPLE] = "no"
        peer.state.update({("", key): key.encode() for key in "abc"})

    peer, answer = await call(function, setup)
    assert answered(answer) == b"a,b,c"
    assert requests(peer) == ["GET_STATE", "GET_STATE_MULTIPLE", "GET_STATE", "GET_STATE"]


async def test_a_cancelled_request_keeps_its_turn_until_it_is_answered():
    async def function(stub):
        reading = asyncio.create_task(stub.get_state("slow"))
        await asyncio.sleep(0)
        reading.cancel()
        return await stub.get_state("fast") or b""

    async with conversation_with(FunctionChaincode(function)) as (peer, _):
        peer.state.update({("", "slow"): b"slow", ("", "fast"): b"fast"})
        peer.propose()
        first = await peer.hear()
        await asyncio.sleep(0)
        assert peer.stream.to_peer.empty()
        peer.answer(first)
        assert answered(await peer.answer_until_done()) == b"fast"


async def test_a_wrong_number_of_values_is_an_error():
    async def function(stub):
        with pytest.raises(PeerError):
            await stub.get_states(["a", "b"])
        return b"raised"

    def setup(peer):
        peer.answers[Message.GET_STATE_MULTIPLE] = [b""]

    _, answer = await call(function, setup)
    assert answered(answer) == b"raised"


async def test_a_peers_error_is_raised_with_operation_collection_and_key():
    async def function(stub):
        with pytest.raises(PeerError) as caught:
            await stub.get_private("c", "k")
        error = caught.value
        assert (error.operation, error.collection, error.key) == ("GET_STATE", "c", "k")
        assert error.detail == "GET_STATE failed: no"
        assert "no" not in str(error).split()
        return b"raised"

    def setup(peer):
        peer.refuse[Message.GET_STATE] = "GET_STATE failed: no"

    _, answer = await call(function, setup)
    assert answered(answer) == b"raised"


async def test_an_unhandled_peer_error_is_an_error_response():
    async def function(stub):
        return await stub.get_state("k")

    def setup(peer):
        peer.refuse[Message.GET_STATE] = "no"

    _, answer = await call(function, setup)
    assert response_of(answer).status == 500


async def test_private_reads_ask_key_by_key_for_only_then_peers_check_versions():
    async def function(stub):
        values = [*await stub.get_privates("c", ["a", "b"]), await stub.get_private_hash("c", "a")]
        return repr(values).encode()

    def setup(peer):
        peer.state["c", "a"] = b"1"
        peer.answers[Message.GET_PRIVATE_DATA_HASH] = [b"h"]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"[b'1', None, b'h']"
    assert requests(peer) == ["GET_STATE", "GET_STATE", "GET_PRIVATE_DATA_HASH"]


# writing


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


# queries


async def test_a_range_is_fetched_page_by_page():
    async def function(stub):
        return ",".join([key async for key, _ in stub.get_range("a", "z")]).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [kv_page("ab", has_more=True)]
        peer.answers[Message.QUERY_STATE_NEXT] = [kv_page("cd", has_more=True), kv_page("e")]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"a,b,c,d,e"
    assert requests(peer) == [PAGE, "QUERY_STATE_NEXT", "QUERY_STATE_NEXT"]


async def test_a_range_left_early_is_closed_once():
    async def function(stub):
        async with stub.get_range("", "") as entries:
            async for _ in entries:
                break
        await entries.aclose()
        return str([entry async for entry in entries]).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [kv_page("ab", has_more=True, query_id="q7")]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"[]"
    assert requests(peer) == [PAGE, "QUERY_STATE_CLOSE"]
    assert chaincode_shim_pb2.QueryStateClose.FromString(peer.seen[2].payload).id == "q7"


async def test_a_finished_range_is_not_closed_and_an_unused_one_not_opened():
    async def function(stub):
        async with stub.get_range("", "") as entries:
            [entry async for entry in entries]
        async with stub.get_range("", ""):
            pass
        return b""

    peer, _ = await call(function)
    assert requests(peer) == [PAGE]


async def test_an_empty_start_skips_composite_keys():
    async def function(stub):
        [entry async for entry in stub.get_range("", "")]
        [entry async for entry in stub.get_by_partial_composite_key("t", ["a"])]
        return b""

    peer, _ = await call(function)
    asked = [chaincode_shim_pb2.GetStateByRange.FromString(m.payload) for m in peer.seen[1:3]]
    assert (asked[0].startKey, asked[0].endKey) == ("\x01", "")
    assert (asked[1].startKey, asked[1].endKey) == ("\x00t\x00a\x00", "\x00t\x00a\x00\U0010ffff")


async def test_pages_carry_size_and_bookmark():
    async def function(stub):
        page = await stub.get_by_partial_composite_key_page("t", [], 2, "from")
        rich = await stub.query_page("{}", 3)
        return repr((page.entries, page.bookmark, rich.bookmark)).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [kv_page("a", bookmark="next")]
        peer.answers[Message.GET_QUERY_RESULT] = [kv_page("", bookmark="")]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"((('a', b'v'),), 'next', '')"
    asked = chaincode_shim_pb2.GetStateByRange.FromString(peer.seen[1].payload)
    metadata = chaincode_shim_pb2.QueryMetadata.FromString(asked.metadata)
    assert (metadata.pageSize, metadata.bookmark) == (2, "from")


async def test_history_holds_deletions_and_times():
    async def function(stub):
        found = [change async for change in stub.history("k")]
        assert [(c.transaction_id, c.value) for c in found] == [("t2", None), ("t1", b"v")]
        assert found[1].proposal_time == datetime(1970, 1, 1, 0, 0, 1, 500000, UTC)
        return b""

    def setup(peer):
        page = chaincode_shim_pb2.QueryResponse()
        for change in (
            kv_query_result_pb2.KeyModification(tx_id="t2", is_delete=True),
            kv_query_result_pb2.KeyModification(
                tx_id="t1", value=b"v", timestamp={"seconds": 1, "nanos": 500000000}
            ),
        ):
            page.results.add(resultBytes=change.SerializeToString())
        peer.answers[Message.GET_HISTORY_FOR_KEY] = [page.SerializeToString()]

    _, answer = await call(function, setup)
    answered(answer)


@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x03\x0a\x01\xff"])
async def test_an_unreadable_page_is_a_peer_error(payload):
    async def function(stub):
        return str([entry async for entry in stub.get_range("", "")]).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [payload]

    _, answer = await call(function, setup)
    assert response_of(answer).status == 500


# the rest


async def test_key_policies_are_read_back():
    async def function(stub):
        return repr([await stub.get_key_policy("a"), await stub.get_key_policy("b", "c")]).encode()

    def setup(peer):
        result = chaincode_shim_pb2.StateMetadataResult()
        result.entries.add(metakey="OTHER", value=b"x")
        result.entries.add(metakey="VALIDATION_PARAMETER", value=b"policy")
        peer.answers[Message.GET_STATE_METADATA] = [result.SerializeToString(), b""]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"[b'policy', None]"
    asked = chaincode_shim_pb2.GetStateMetadata.FromString(peer.seen[2].payload)
    assert (asked.key, asked.collection) == ("b", "c")


async def test_another_chaincode_is_called_and_its_error_raised():
    async def function(stub):
        response = await stub.invoke_chaincode("other", [b"f", b"x"], "channel2")
        with pytest.raises(PeerError) as caught:
            await stub.invoke_chaincode("other", [b"f"])
        assert caught.value.detail == "failed"
        return f"{response.status} {response.message} {response.payload}".encode()

    def setup(peer):
        response = proposal_response_pb2.Response(status=201, message="m", payload=b"p")
        good = Message(type=Message.COMPLETED, payload=response.SerializeToString())
        bad = Message(type=Message.ERROR, payload=b"failed")
        peer.answers[Message.INVOKE_CHAINCODE] = [good.SerializeToString(), bad.SerializeToString()]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"201 m b'p'"
    asked = chaincode_pb2.ChaincodeSpec.FromString(peer.seen[1].payload)
    assert (asked.chaincode_id.name, list(asked.input.args)) == ("other/channel2", [b"f", b"x"])


async def test_the_last_event_goes_with_the_answer():
    async def function(stub):
        stub.set_event("First", b"1")
        stub.set_event("Second", b"2")
        return b""

    _, answer = await call(function)
    assert (answer.chaincode_event.event_name, answer.chaincode_event.payload) == ("Second", b"2")


async def test_a_failing_function_sets_no_event():
    async def function(stub):
        stub.set_event("Event", b"1")
        raise ContractError("REFUSED", "no")

    _, answer = await call(function)
    assert not answer.HasField("chaincode_event")


@pytest.mark.parametrize(("name", "payload"), [("", b""), (b"n", b""), ("n", "text"), ("\ud800", b"")])
async def test_bad_events_are_refused(name, payload):
    async def function(stub):
        stub.set_event(name, payload)
        return b""

    _, answer = await call(function)
    assert response_of(answer).status == 400


async def test_what_the_proposal_says():
    async def function(stub):
        assert stub.proposal_time == PROPOSAL_TIME
        assert stub.transient == {"t": b"1"}
        assert stub.decorations == {"d": b"2"}
        assert stub.arguments == (b"f", b"x")
        assert stub.signed_proposal
        assert stub.binding == hashlib.sha256(b"nonce" + b"creator" + bytes(8)).digest()
        with pytest.raises(TypeError):
            stub.transient["t"] = b""
        with pytest.raises(ContractError, match="CALLER_INVALID"):
            _ = stub.caller
        return b"checked"

    async with conversation_with(FunctionChaincode(function)) as (peer, _):
        peer.propose([b"f", b"x"], transient={"t": b"1"}, decorations={"d": b"2"})
        assert answered(await peer.answer_until_done()) == b"checked"


async def test_a_stub_is_of_no_use_after_its_answer():
    kept = []

    async def function(stub):
        kept.append(stub)
        return b""

    await call(function)
    with pytest.raises(ShimError, match="TRANSACTION_ENDED"):
        await kept[0].get_state("k")


async def test_composite_keys_are_made_and_split():
    async def function(stub):
        key = stub.create_composite_key("type", ["a", ""])
        assert stub.split_composite_key(key) == ("type", ["a", ""])
        with pytest.raises(KeyInvalidError):
            stub.create_composite_key("type", ["\x00"])
        return key.encode()

    _, answer = await call(function)
    assert answered(answer) == b"\x00type\x00a\x00\x00"
