"""Answers of the peer that come when the run that asked has ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.scripted_peer import (
    CHANNEL,
    FunctionChaincode,
    Message,
    ScriptedPeer,
    conversation_with,
    response_of,
)

from fabric_shim import Limits, conversation


async def read_two(stub: Any) -> bytes:
    first = await stub.get_state("first") or b"none"
    return bytes(first + b" " + (await stub.get_state("second") or b"none"))


LIMITS = Limits(execute_timeout_seconds=0.5)


def value(request: Any, text: bytes) -> dict[str, Any]:
    return {"txid": request.txid, "channel_id": CHANNEL, "payload": text}


async def time_out(peer: ScriptedPeer) -> Any:
    """Propose, and leave the request without an answer; the request."""
    peer.propose()
    request = await peer.hear()
    assert request.type == Message.GET_STATE
    assert "TRANSACTION_TIMEOUT" in response_of(await peer.hear()).message
    return request


async def test_the_same_id_proposed_again_at_once_does_not_get_the_first_runs_answer() -> None:
    async with conversation_with(FunctionChaincode(read_two), limits=LIMITS) as (peer, _):
        request = await time_out(peer)
        peer.propose()
        await asyncio.sleep(0.02)
        # A peer would drop a second request of the transaction: none is sent yet.
        assert peer.stream.to_peer.empty()
        peer.say(Message.RESPONSE, **value(request, b"late"))
        for text in (b"a", b"b"):
            peer.say(Message.RESPONSE, **value(await peer.hear(), text))
        assert response_of(await peer.hear()).payload == b"a b"


async def test_without_the_late_answer_the_second_run_times_out_and_the_third_gets_its_own() -> None:
    async with conversation_with(FunctionChaincode(read_two), limits=LIMITS) as (peer, _):
        request = await time_out(peer)
        peer.propose()
        assert "TRANSACTION_TIMEOUT" in response_of(await peer.hear()).message
        peer.propose()
        peer.say(Message.ERROR, **value(request, b"late"))
        for text in (b"a", b"b"):
            peer.say(Message.RESPONSE, **value(await peer.hear(), text))
        assert response_of(await peer.hear()).payload == b"a b"


async def test_other_transactions_do_not_wait() -> None:
    async with conversation_with(FunctionChaincode(read_two), limits=LIMITS) as (peer, _):
        await time_out(peer)
        peer.propose(txid="other")
        assert response_of(await peer.answer_until_done("other")).payload == b"none none"


async def test_after_the_late_answer_nothing_is_kept() -> None:
    async with conversation_with(FunctionChaincode(read_two), limits=LIMITS) as (peer, talk):
        request = await time_out(peer)
        assert talk.late_answer((CHANNEL, "tx1")) is not None
        peer.say(Message.RESPONSE, **value(request, b"late"))
        peer.propose()
        assert response_of(await peer.answer_until_done()).payload == b"none none"
        assert talk.late_answer((CHANNEL, "tx1")) is None


async def test_what_is_kept_of_a_peer_that_never_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_MOST_LATE_ANSWERS", 1)
    limits = Limits(execute_timeout_seconds=0.02)
    async with conversation_with(FunctionChaincode(read_two), limits=limits) as (peer, talk):
        peer.silent.add(Message.GET_STATE)
        for number in range(3):
            peer.propose(txid=f"tx{number}")
            await peer.answer_until_done(f"tx{number}")
        kept = [talk.late_answer((CHANNEL, f"tx{number}")) is not None for number in range(3)]
    assert kept == [False, False, True]


async def test_two_reads_given_up_one_after_the_other_leave_the_stream_whole() -> None:
    async def gives_up_twice(stub: Any) -> bytes:
        for key in ("first", "second"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stub.get_state(key), 0.02)
        return await stub.get_state("third") or b"none"

    async with conversation_with(FunctionChaincode(gives_up_twice)) as (peer, _):
        peer.propose()
        request = await peer.hear()
        await asyncio.sleep(0.5)
        peer.say(Message.RESPONSE, **value(request, b"late"))
        third = await peer.hear()
        peer.say(Message.RESPONSE, **value(third, b"c"))
        assert response_of(await peer.hear()).payload == b"c"
