"""Whatever a peer answers to its requests, a transaction is answered and its id is free again."""

import asyncio
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted_peer import CHANNEL, FunctionChaincode, Message, conversation_with, response_of

ANSWERS = st.lists(
    st.tuples(st.sampled_from([Message.RESPONSE, Message.ERROR]), st.binary(max_size=40)), max_size=12
)


async def everything(stub):
    await stub.put_state("k", b"v")
    await stub.get_state("k")
    await asyncio.gather(*(stub.get_state(key) for key in "abc"))
    await stub.get_states(["a", "b"])
    [entry async for entry in stub.get_range("", "")]
    [change async for change in stub.history("k")]
    await stub.get_key_policy("k")
    await stub.get_private_hash("c", "k")
    await stub.invoke_chaincode("other", [b"f"])
    await stub.get_range_page("", "", 1)
    return b"done"


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@settings(deadline=None, max_examples=200)
@given(ANSWERS)
def test_any_answers_end_in_an_answer(answers):
    async def scenario():
        async with conversation_with(FunctionChaincode(everything)) as (peer, conversation):
            peer.propose()
            left = iter(answers)
            while (message := await peer.hear()).type != Message.COMPLETED:
                message_type, payload = next(left, (Message.ERROR, b"enough"))
                peer.say(message_type, payload=payload, txid="tx1", channel_id=CHANNEL)
            assert response_of(message).status in (200, 500)
            assert conversation.running == 0

    asyncio.run(scenario())
