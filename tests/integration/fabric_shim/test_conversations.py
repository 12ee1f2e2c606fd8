"""The story of the recorded conversations on a running engine, compared with what real peers said in it."""

from __future__ import annotations

import pytest
from support.conversations import (
    CONVERSATIONS,
    Replay,
    Spoken,
    answers,
    read_conversation,
    said,
    said_by_chaincode,
    transactions,
)
from support.protocol_chaincode import CONTRACTS
from support.protocol_story import STORY
from support.record_conversations import record

from fabric_embedded import EmbeddedNetwork
from fabric_native import NativeNetwork
from fabric_shim import Router

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
            assert [*said(spoken)] == [*said(before)], call


def test_the_engine_answers_as_real_peers_do(conversation: list[Spoken]) -> None:
    told, recorded = transactions(conversation).values(), transactions(RECORDED).values()
    for call, spoken, before in zip(STORY, told, recorded, strict=True):
        assert [*answers(spoken)] == [*answers(before)], call


async def test_what_was_recorded_is_said_again_byte_for_byte(conversation: list[Spoken]) -> None:
    replay = Replay(conversation, Router([contract() for contract in CONTRACTS]))
    again = await replay.one_by_one()
    for txid, spoken in transactions(conversation).items():
        assert again[txid] == said_by_chaincode(spoken)
