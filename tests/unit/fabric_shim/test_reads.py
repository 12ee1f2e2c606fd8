"""What the stub sends to read single keys, and what it makes of the answers."""

import asyncio

import pytest
from support.scripted_peer import (
    FunctionChaincode,
    Message,
    answered,
    call,
    conversation_with,
    requests,
    response_of,
)

from fabric_shim import PeerError

PAGE = "GET_STATE_BY_RANGE"


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
