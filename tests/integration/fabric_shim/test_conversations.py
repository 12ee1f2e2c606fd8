"""The story of the recorded conversations on a running engine, compared with what real peers said in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2
from support.conversations import (
    CONVERSATIONS,
    Replay,
    Spoken,
    read_conversation,
    said_by_chaincode,
    transactions,
)
from support.protocol_chaincode import CONTRACTS
from support.protocol_story import STORY
from support.record_conversations import record
from support.scripted_peer import Message

from fabric_embedded import EmbeddedNetwork
from fabric_native import NativeNetwork
from fabric_shim import Router

_QUERIES = (
    Message.GET_STATE_BY_RANGE,
    Message.GET_HISTORY_FOR_KEY,
    Message.QUERY_STATE_NEXT,
    Message.QUERY_STATE_CLOSE,
)
RECORDED = read_conversation(CONVERSATIONS / "fabric-3.1.5-own-peer.jsonl")


ENGINES = [
    pytest.param(EmbeddedNetwork, id="embedded"),
    pytest.param(NativeNetwork, id="fabric", marks=pytest.mark.optional_tool("fabric-binaries")),
]


@pytest.fixture(scope="module", params=ENGINES)
def conversation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Spoken]:
    """What alpha's peer and its chaincode say."""
    place = tmp_path_factory.mktemp("conversations")
    record(place / "recorded", request.param, place)
    found = [read_conversation(path) for path in (place / "recorded").iterdir()]
    # Alpha's user evaluates on alpha's peer only.
    return max(found, key=len)


def test_the_chaincode_asks_for_the_same_in_the_same_bytes(conversation: list[Spoken]) -> None:
    told, recorded = transactions(conversation).values(), transactions(RECORDED).values()
    assert len(told) == len(STORY)
    for call, spoken, before in zip(STORY, told, recorded, strict=True):
        if call.function != "reading:proposal":
            assert [*_said(spoken)] == [*_said(before)], call


def test_the_engine_answers_as_real_peers_do(conversation: list[Spoken]) -> None:
    told, recorded = transactions(conversation).values(), transactions(RECORDED).values()
    for call, spoken, before in zip(STORY, told, recorded, strict=True):
        assert [*_answers(spoken)] == [*_answers(before)], call


async def test_what_was_recorded_is_said_again_byte_for_byte(conversation: list[Spoken]) -> None:
    replay = Replay(conversation, Router([contract() for contract in CONTRACTS]))
    said = await replay.one_by_one()
    for txid, spoken in transactions(conversation).items():
        assert said[txid] == said_by_chaincode(spoken)


def _said(spoken: list[Spoken]) -> Iterator[object]:
    """The chaincode's messages, without the transaction's id and the ids that peers give to queries."""
    for entry in spoken:
        message = entry.message
        if entry.by_chaincode:
            txid = message.txid.encode()
            if message.type in (Message.QUERY_STATE_NEXT, Message.QUERY_STATE_CLOSE):
                message.payload = b""
            yield message.SerializeToString().replace(txid, b"")


def _answers(spoken: list[Spoken]) -> Iterator[object]:
    """Types and payloads of a peer's answers, without what differs from ledger to ledger."""
    asked = Message.UNDEFINED
    for entry in spoken:
        message = entry.message
        txid = message.txid.encode()
        if entry.by_chaincode:
            asked = message.type
        elif message.type in (Message.RESPONSE, Message.ERROR):
            payload = message.payload
            is_page = message.type == Message.RESPONSE and asked in _QUERIES
            yield (
                Message.Type.Name(asked),
                message.type,
                _page(asked, payload) if is_page else payload.replace(txid, b""),
            )


def _page(asked: int, payload: bytes) -> object:
    page = chaincode_shim_pb2.QueryResponse.FromString(payload)
    results = [result.resultBytes for result in page.results]
    if asked == Message.GET_HISTORY_FOR_KEY:
        changes = map(kv_query_result_pb2.KeyModification.FromString, results)
        results = [(change.value, change.is_delete) for change in changes]
    return results, page.has_more, page.metadata, bool(page.id)
