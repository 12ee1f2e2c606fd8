"""Conversations with real peers, said again: to the same messages the shim answers with the same bytes."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from fabric_protos.peer import proposal_response_pb2
from support.conversations import (
    CONVERSATIONS,
    Replay,
    handshake,
    operations,
    read_conversation,
    said_by_chaincode,
    transactions,
)
from support.protocol_chaincode import CONTRACTS
from support.protocol_story import STORY
from support.scripted_peer import Message

from fabric_shim import Context, Contract, Router, evaluation, transaction

OWN = read_conversation(CONVERSATIONS / "fabric-3.1.5-own-peer.jsonl")
OTHER = read_conversation(CONVERSATIONS / "fabric-3.1.5-other-peer.jsonl")
OFFICIAL = read_conversation(CONVERSATIONS / "fabric-3.1.5-official-go.jsonl")
NOT_ASKED = {"UNDEFINED", "KEEPALIVE", "INIT"}
"""Types that the recording does not hold: no real peer sends them unless it is configured to."""


class Bench(Contract):
    """What the official Go shim ran while it was recorded."""

    name = "bench"

    @transaction
    async def put(self, ctx: Context, key: str, value: str) -> None:
        await ctx.stub.put_state(key, value.encode())

    @evaluation
    async def get(self, ctx: Context, key: str) -> bytes | None:
        return await ctx.stub.get_state(key)

    @evaluation
    async def read_many(self, ctx: Context, prefix: str) -> int:
        return len(await ctx.stub.get_states([f"{prefix}{number:04}" for number in range(1000)]))


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def _altered(spoken):
    if spoken.by_chaincode or b"w" not in spoken.message.payload or spoken.message.type != Message.RESPONSE:
        return spoken
    message = spoken.message
    message.payload = message.payload.replace(b"w", b"x")
    return replace(spoken, data=message.SerializeToString())


def expected(conversation):
    said = {txid: said_by_chaincode(spoken) for txid, spoken in transactions(conversation).items()}
    return {"": said_by_chaincode(handshake(conversation))} | said


def router():
    return Router([contract() for contract in CONTRACTS])


def test_the_recording_holds_every_type_of_message_and_call():
    assert set(operations(OWN)) == set(Message.Type.keys()) - NOT_ASKED
    assert len(transactions(OWN)) == len(STORY)
    errors = [spoken.message.payload for spoken in OWN if spoken.message.type == Message.ERROR]
    assert len(errors) > 8


@pytest.mark.parametrize("conversation", [OWN, OTHER], ids=["own-peer", "other-peer"])
async def test_each_transaction_alone_is_said_again_byte_for_byte(conversation):
    assert await Replay(conversation, router()).one_by_one() == expected(conversation)


@pytest.mark.parametrize("conversation", [OWN, OTHER], ids=["own-peer", "other-peer"])
async def test_all_transactions_at_once_are_said_again_byte_for_byte(conversation):
    assert await Replay(conversation, router()).at_once() == expected(conversation)


async def test_the_official_go_shim_said_the_same_bytes():
    assert await Replay(OFFICIAL, Router([Bench()])).one_by_one() == expected(OFFICIAL)


async def test_an_altered_answer_of_the_peer_is_noticed():
    altered = [_altered(spoken) for spoken in OWN]
    said, recorded = await Replay(altered, router()).one_by_one(), expected(OWN)
    # reading:get, get_many, get_at_once and history.
    assert [said[txid] != recorded[txid] for txid in recorded].count(True) == 4


def test_nothing_of_an_exception_was_said():
    for spoken in OWN:
        if spoken.message.type == Message.COMPLETED:
            response = proposal_response_pb2.Response.FromString(spoken.message.payload)
            assert "secret" not in response.message
            assert response.status == 200 or '"code":"' in response.message
