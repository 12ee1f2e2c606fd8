"""Policies, other chaincodes, events and what the proposal says."""

import hashlib

import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2
from support.scripted_peer import (
    PROPOSAL_TIME,
    FunctionChaincode,
    Message,
    answered,
    call,
    conversation_with,
    response_of,
)

from fabric_shim import ContractError, KeyInvalidError, PeerError, ShimError

PAGE = "GET_STATE_BY_RANGE"


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
