"""Transactions beyond the limit wait for their turn."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from support.scripted_peer import FunctionChaincode, Message, ScriptedPeer, conversation_with, response_of

from fabric_shim import Limits, conversation

ONE = Limits(concurrent_transactions=1, waiting_transactions=2)


async def reads(stub: Any) -> bytes:
    await stub.get_state("k")
    return b"done"


async def turns() -> None:
    """Let everything go on that waits for nothing."""
    for _ in range(50):
        await asyncio.sleep(0)


async def fill(peer: ScriptedPeer, *others: str) -> Any:
    """Let one transaction run and others wait; the request of the running one."""
    peer.propose(txid="running")
    request = await peer.hear()
    for txid in others:
        peer.propose(txid=txid)
    await turns()
    assert peer.stream.to_peer.empty()
    return request


async def test_they_run_in_the_order_in_which_they_came() -> None:
    async with conversation_with(FunctionChaincode(reads), limits=ONE) as (peer, talk):
        request = await fill(peer, "second", "third")
        assert (talk.running, talk.metrics.waiting) == (1, 2)
        peer.answer(request)
        heard = []
        while len(heard) < 5:
            message = await peer.hear()
            heard.append((message.txid, message.type == Message.COMPLETED))
            if message.type != Message.COMPLETED:
                peer.answer(message)
        expected = [("running", True), ("second", False), ("second", True), ("third", False), ("third", True)]
        assert heard == expected
        assert (talk.running, talk.metrics.waiting) == (0, 0)


async def test_one_too_many_is_refused_at_once() -> None:
    async with conversation_with(FunctionChaincode(reads), limits=ONE) as (peer, _):
        await fill(peer, "second", "third")
        peer.propose(txid="fourth")
        answer = await peer.hear()
        assert (answer.txid, "SERVICE_BUSY" in response_of(answer).message) == ("fourth", True)


async def test_the_same_id_again_waits_once() -> None:
    async with conversation_with(FunctionChaincode(reads), limits=ONE) as (peer, talk):
        request = await fill(peer, "second", "second", "second")
        assert talk.metrics.waiting == 1
        peer.answer(request)
        assert response_of(await peer.answer_until_done("second")).payload == b"done"


async def test_one_that_waited_too_long_is_refused_and_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with conversation_with(FunctionChaincode(reads), limits=ONE) as (peer, _):
        request = await fill(peer, "second")
        late = time.monotonic() + ONE.execute_timeout_seconds
        # The module's clock only: the event loop lives by the real one.
        monkeypatch.setattr(conversation, "time", SimpleNamespace(monotonic=lambda: late))
        peer.propose(txid="third")
        await turns()
        peer.answer(request)
        assert "TRANSACTION_TIMEOUT" in response_of(await peer.answer_until_done("second")).message
        assert response_of(await peer.answer_until_done("third")).payload == b"done"


async def test_stopping_refuses_those_that_wait_and_lets_the_running_one_end() -> None:
    async with conversation_with(FunctionChaincode(reads), limits=ONE) as (peer, talk):
        request = await fill(peer, "second", "third")
        draining = asyncio.create_task(talk.drain(5))
        for txid in ("second", "third"):
            answer = await peer.hear()
            assert (answer.txid, "SERVICE_STOPPING" in response_of(answer).message) == (txid, True)
        peer.answer(request)
        await draining
        assert response_of(await peer.hear()).payload == b"done"


async def test_when_the_peer_hangs_up_none_of_them_runs() -> None:
    ran = []

    async def notes(stub: Any) -> bytes:
        ran.append(stub.transaction_id)
        return await reads(stub)

    async with conversation_with(FunctionChaincode(notes), limits=ONE) as (peer, talk):
        await fill(peer, "second", "third")
    assert ran == ["running"]
    assert (talk.running, talk.metrics.waiting) == (0, 0)
