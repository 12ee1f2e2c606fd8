import asyncio
import logging

import pytest
from fabric_protos.peer import chaincode_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_peer import (
    CHANNEL,
    PROPOSAL_TIME,
    FunctionChaincode,
    Message,
    QueueStream,
    conversation_with,
    proposal_message,
    response_of,
)

from fabric_shim import Conversation, ConversationError, Limits
from fabric_shim.conversation import State
from fabric_shim.messages import MOST_PAYLOAD_BYTES

TYPES = [value for value in Message.Type.values() if value != Message.KEEPALIVE]


async def nothing(stub):
    return b""


def new_conversation(state, function=nothing):
    conversation = Conversation(QueueStream(), FunctionChaincode(function), package_id="label:1")
    conversation.state = state
    return conversation


async def test_handshake_registers_and_takes_what_the_peer_offers():
    async with conversation_with(FunctionChaincode(nothing), batch=500, multiple=0) as (peer, conversation):
        registration = peer.seen[0]
        assert registration.type == Message.REGISTER
        assert chaincode_pb2.ChaincodeID.FromString(registration.payload).name == "label:1"
        peer.propose()
        assert response_of(await peer.answer_until_done()).status == 200
        assert (conversation.negotiated.write_batch, conversation.negotiated.get_multiple) == (500, 0)
        assert conversation.state is State.READY


async def test_ready_without_payload_is_a_peer_without_batches():
    conversation = new_conversation(State.ESTABLISHED)
    conversation.handle(Message(type=Message.READY))
    assert (conversation.negotiated.write_batch, conversation.negotiated.get_multiple) == (0, 0)


async def test_small_batch_sizes_are_raised_to_100_as_official_runtimes_do():
    conversation = new_conversation(State.ESTABLISHED)
    offer = chaincode_pb2.ChaincodeAdditionalParams(use_write_batch=True, max_size_write_batch=1)
    conversation.handle(Message(type=Message.READY, payload=offer.SerializeToString()))
    assert conversation.negotiated.write_batch == 100


@pytest.mark.parametrize("message_type", TYPES)
@pytest.mark.parametrize(
    ("state", "legal"), [(State.CREATED, Message.REGISTERED), (State.ESTABLISHED, Message.READY)]
)
async def test_every_other_message_in_the_handshake_ends_the_conversation(state, legal, message_type):
    conversation = new_conversation(state)
    if message_type == legal:
        conversation.handle(Message(type=message_type))
        assert conversation.state is not state
    else:
        with pytest.raises(ConversationError, match="PROTOCOL_VIOLATED"):
            conversation.handle(Message(type=message_type))
        assert conversation.state is state


async def test_unreadable_ready_ends_the_conversation():
    with pytest.raises(ConversationError):
        new_conversation(State.ESTABLISHED).handle(Message(type=Message.READY, payload=b"\xff"))


@pytest.mark.parametrize("state", list(State))
async def test_keepalive_is_echoed_in_every_state(state):
    conversation = new_conversation(state)
    conversation.handle(Message(type=Message.KEEPALIVE))
    assert conversation._outgoing[0].type == Message.KEEPALIVE


@pytest.mark.parametrize("message_type", [t for t in TYPES if t not in (Message.TRANSACTION, Message.INIT)])
async def test_illegal_messages_when_ready_are_dropped_and_transactions_go_on(message_type):
    async def reads(stub):
        return await stub.get_state("k") or b""

    async with conversation_with(FunctionChaincode(reads)) as (peer, _):
        peer.state["", "k"] = b"v"
        peer.propose()
        request = await peer.hear()
        peer.say(message_type, txid="other", channel_id=CHANNEL, payload=b"\xff\xff")
        peer.answer(request)
        assert response_of(await peer.answer_until_done()).payload == b"v"


@given(
    st.lists(
        st.tuples(st.sampled_from([*TYPES, 0, 77]), st.binary(max_size=20), st.sampled_from(["", "tx1", "é"]))
    )
)
def test_a_fuzzed_peer_never_stops_a_ready_conversation(messages):
    async def scenario():
        async def reads(stub):
            return await stub.get_state("k") or b""

        async with conversation_with(FunctionChaincode(reads)) as (peer, _):
            for message_type, payload, txid in messages:
                peer.say(message_type, payload=payload, txid=txid, channel_id=CHANNEL)
            peer.propose(txid="good")
            while (message := await peer.hear()).txid != "good" or message.type != Message.COMPLETED:
                peer.answer(message)
            assert response_of(message).status == 200

    logging.disable()
    try:
        asyncio.run(scenario())
    finally:
        logging.disable(logging.NOTSET)


async def test_many_transactions_run_at_once_and_are_answered_by_their_ids():
    async def waits(stub):
        return (await stub.get_state(stub.transaction_id)) or b""

    async with conversation_with(FunctionChaincode(waits)) as (peer, conversation):
        for number in range(50):
            peer.state["", f"tx{number}"] = str(number).encode()
            peer.propose(txid=f"tx{number}")
        requests = [await peer.hear() for _ in range(50)]
        assert conversation.running == 50
        for request in reversed(requests):
            peer.answer(request)
        answers = [await peer.hear() for _ in range(50)]
        assert {a.txid: response_of(a).payload for a in answers} == {
            f"tx{number}": str(number).encode() for number in range(50)
        }
        assert conversation.running == 0


async def test_same_ids_on_two_channels_are_two_transactions():
    async def reads(stub):
        return (await stub.get_state("k") or b"") + stub.channel_id.encode()

    async with conversation_with(FunctionChaincode(reads)) as (peer, _):
        first, second = proposal_message([b"f"], "tx1"), proposal_message([b"f"], "tx1")
        second.channel_id = "second"
        peer.stream.to_chaincode.put_nowait(first)
        peer.stream.to_chaincode.put_nowait(second)
        for request in [await peer.hear(), await peer.hear()]:
            peer.answer(request)
        answers = {(await peer.hear()).channel_id for _ in range(2)}
        assert answers == {CHANNEL, "second"}


async def test_a_transaction_sent_twice_is_refused_and_the_first_run_ends():
    started, ended = asyncio.Event(), asyncio.Event()

    async def hangs(stub):
        started.set()
        try:
            await stub.get_state("k")
        finally:
            ended.set()
        return b""

    async with conversation_with(FunctionChaincode(hangs)) as (peer, conversation):
        peer.propose()
        await started.wait()
        peer.propose()
        answer = await peer.answer_until_done()
        await ended.wait()
        assert b"TRANSACTION_RUNNING" in answer.payload
        assert conversation.running == 0


async def test_a_transaction_sent_twice_at_once_frees_its_id():
    async with conversation_with(FunctionChaincode(nothing)) as (peer, _):
        peer.propose()
        peer.propose()
        assert b"TRANSACTION_RUNNING" in (await peer.hear()).payload
        peer.propose()
        assert response_of(await peer.hear()).status == 200


async def test_too_many_transactions_are_refused_at_once():
    async def hangs(stub):
        await stub.get_state("k")
        return b""

    limits = Limits(concurrent_transactions=1, waiting_transactions=0)
    async with conversation_with(FunctionChaincode(hangs), limits=limits) as (peer, _):
        peer.propose(txid="first")
        await peer.hear()
        peer.propose(txid="second")
        answer = await peer.hear()
        assert answer.txid == "second"
        assert "SERVICE_BUSY" in response_of(answer).message


async def test_a_transaction_that_takes_too_long_is_answered_and_freed():
    async def hangs(stub):
        await stub.get_state("k")
        return b""

    limits = Limits(execute_timeout_seconds=0.02)
    async with conversation_with(FunctionChaincode(hangs), limits=limits) as (peer, conversation):
        peer.silent.add(Message.GET_STATE)
        peer.propose()
        answer = await peer.answer_until_done()
        assert "TRANSACTION_TIMEOUT" in response_of(answer).message
        assert conversation.running == 0
        peer.say(Message.RESPONSE, txid="tx1", channel_id=CHANNEL)
        peer.silent.clear()
        peer.propose()
        assert response_of(await peer.answer_until_done()).status == 200


async def test_when_the_peer_hangs_up_running_transactions_are_cancelled():
    ended = asyncio.Event()

    async def hangs(stub):
        try:
            await stub.get_state("k")
        finally:
            ended.set()
        return b""

    async with conversation_with(FunctionChaincode(hangs)) as (peer, conversation):
        peer.propose()
        await peer.hear()
    assert ended.is_set()
    assert conversation.running == 0


async def test_a_failing_stream_ends_the_conversation_with_its_error():
    stream = QueueStream()
    stream.to_chaincode.put_nowait(ConversationError("bad bytes"))
    with pytest.raises(ConversationError, match="bad bytes"):
        await Conversation(stream, FunctionChaincode(nothing), package_id="label:1").run()


async def test_draining_lets_running_transactions_end_and_refuses_new_ones():
    async def reads(stub):
        await stub.get_state("k")
        return b"done"

    async with conversation_with(FunctionChaincode(reads)) as (peer, conversation):
        peer.propose(txid="running")
        request = await peer.hear()
        draining = asyncio.create_task(conversation.drain(5))
        await asyncio.sleep(0)
        peer.propose(txid="late")
        assert "SERVICE_STOPPING" in response_of(await peer.hear()).message
        peer.answer(request)
        await draining
        assert response_of(await peer.hear()).payload == b"done"


@pytest.mark.parametrize("seconds", [-61, 61, 3600])
async def test_proposals_far_from_the_clock_are_refused_before_any_contract_runs(seconds):
    ran = []

    async def runs(stub):
        ran.append(stub)
        return b""

    async with conversation_with(FunctionChaincode(runs)) as (peer, conversation):
        conversation.clock = lambda: PROPOSAL_TIME.timestamp() + seconds
        peer.propose()
        response = response_of(await peer.answer_until_done())
        assert (response.status, "PROPOSAL_TIME_REFUSED" in response.message) == (400, True)
        assert ran == []


@pytest.mark.parametrize("seconds", [-59, 0, 59])
async def test_proposals_near_the_clock_run(seconds):
    async with conversation_with(FunctionChaincode(nothing)) as (peer, conversation):
        conversation.clock = lambda: PROPOSAL_TIME.timestamp() + seconds
        peer.propose()
        assert response_of(await peer.answer_until_done()).status == 200


@pytest.mark.parametrize("proposal", [b"", b"\xff\xff\xff", b"\x0a\x02\xff\xff"])
async def test_a_transaction_without_a_readable_proposal_is_refused(proposal):
    async with conversation_with(FunctionChaincode(nothing)) as (peer, _):
        message = proposal_message([b"f"], "tx1")
        message.proposal.proposal_bytes = proposal
        peer.stream.to_chaincode.put_nowait(message)
        assert "PROPOSAL_INVALID" in response_of(await peer.answer_until_done()).message


async def test_unreadable_arguments_are_refused():
    async with conversation_with(FunctionChaincode(nothing)) as (peer, _):
        message = proposal_message([b"f"], "tx1")
        message.payload = b"\xff\xff"
        peer.stream.to_chaincode.put_nowait(message)
        assert "PROPOSAL_INVALID" in response_of(await peer.answer_until_done()).message


async def test_a_chaincode_that_raises_is_answered_without_its_words():
    async def raises(stub):
        raise RuntimeError("secret")

    async with conversation_with(FunctionChaincode(raises)) as (peer, conversation):
        peer.propose()
        response = response_of(await peer.answer_until_done())
        assert (response.status, "INTERNAL_ERROR" in response.message) == (500, True)
        assert "secret" not in response.message
        assert conversation.running == 0


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (lambda stub: stub.put_state("k", bytes(MOST_PAYLOAD_BYTES)), "MESSAGE_TOO_LARGE"),
        (lambda stub: returns(bytes(MOST_PAYLOAD_BYTES + 1)), "RESULT_TOO_LARGE"),
    ],
)
async def test_what_no_peer_would_take_is_refused_before_it_costs_the_stream(function, code):
    async def runs(stub):
        return await function(stub) or b""

    async with conversation_with(FunctionChaincode(runs)) as (peer, conversation):
        peer.propose()
        response = response_of(await peer.answer_until_done())
        assert (response.status, code in response.message) == (400, True)
        assert peer.types() == ["REGISTER", "COMPLETED"]
        assert conversation.running == 0


async def returns(value):
    return value


async def test_init_runs_like_a_transaction():
    async def says(stub):
        return b"init" if stub.is_init else b"no"

    async with conversation_with(FunctionChaincode(says)) as (peer, _):
        peer.propose(message_type=Message.INIT, is_init=True)
        assert response_of(await peer.answer_until_done()).payload == b"init"
