"""DeliverWithPrivateData: blocks with what the asker may see of what the peer holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import events_pb2
from support.engine_material import CHAINCODE, CHANNEL, Consortium, submit
from support.private_chaincode import (
    LIFE,
    OWN,
    PASSING,
    SECRET,
    SHARED,
    pass_block,
    private_consortium,
    write,
)
from support.seek_requests import asked, seek_request

from fabric_embedded.engine import Engine
from fabric_embedded.services.deliver import PeerDeliverService
from fabric_embedded.services.handlers import ServiceError


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return private_consortium(tmp_path / "ledger")


async def _delivered(
    engine: Engine, consortium: Consortium, number: int, *, peer: str, client: str, **fields: Any
) -> list[Any]:
    position = {"specified": {"number": number}}
    request = seek_request(position, position, member=consortium.clients[client], channel=CHANNEL, **fields)
    stream = PeerDeliverService(engine, peer)._private
    return [events_pb2.DeliverResponse.FromString(data) async for data in stream.responses(asked(request))]


async def _private(engine: Engine, consortium: Consortium, number: int, peer: str, client: str) -> Any:
    answer, status = await _delivered(engine, consortium, number, peer=peer, client=client)
    assert status.status == common_pb2.SUCCESS
    content = answer.block_and_private_data
    assert content.block.SerializeToString() == engine.ledger.block(number)
    return {
        position: [
            (namespace.namespace, collection.collection_name, _writes(collection.rwset))
            for namespace in entry.ns_pvt_rwset
            for collection in namespace.collection_pvt_rwset
        ]
        for position, entry in content.private_data_map.items()
    }


def _writes(data: bytes) -> list[tuple[str, bytes]]:
    return [(write.key, write.value) for write in kv_rwset_pb2.KVRWSet.FromString(data).writes]


async def test_a_member_sees_what_its_peer_holds(engine: Engine, consortium: Consortium) -> None:
    number = await write(engine, consortium, OWN, "k")
    expected = {0: [(CHAINCODE, OWN, [("k", SECRET)])]}
    assert await _private(engine, consortium, number, "AlphaMSP", "AlphaMSP") == expected
    # What another organization's client may not read, and what another organization's peer does not have.
    assert await _private(engine, consortium, number, "AlphaMSP", "BetaMSP") == {}
    assert await _private(engine, consortium, number, "BetaMSP", "AlphaMSP") == {}


async def test_a_collection_open_for_reading_is_seen_by_everybody(
    engine: Engine, consortium: Consortium
) -> None:
    number = await write(engine, consortium, SHARED, "k")
    for peer, client in (("AlphaMSP", "BetaMSP"), ("BetaMSP", "AlphaMSP")):
        found = await _private(engine, consortium, number, peer, client)
        assert found == {0: [(CHAINCODE, SHARED, [("k", SECRET)])]}


async def test_old_values_are_seen_until_their_key_is_purged(engine: Engine, consortium: Consortium) -> None:
    first = await write(engine, consortium, OWN, "k")
    second = await write(engine, consortium, OWN, "k")
    for number in (first, second):
        assert (await _private(engine, consortium, number, "AlphaMSP", "AlphaMSP"))[0]
    status = await submit(engine, consortium, "purge", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"])
    for number in (first, second, status.block_number):
        found = await _private(engine, consortium, number, "AlphaMSP", "AlphaMSP")
        assert found == {0: [(CHAINCODE, OWN, [])]}


async def test_expired_data_is_not_seen(engine: Engine, consortium: Consortium) -> None:
    number = await write(engine, consortium, PASSING, "k")
    assert await _private(engine, consortium, number, "BetaMSP", "BetaMSP") == {
        0: [(CHAINCODE, PASSING, [("k", SECRET)])]
    }
    while engine.ledger.height <= number + LIFE + 1:
        await pass_block(engine, consortium)
    assert await _private(engine, consortium, number, "BetaMSP", "BetaMSP") == {}


async def test_approvals_are_the_organizations_implicit_collections(
    engine: Engine, consortium: Consortium
) -> None:
    seen = [
        await _private(engine, consortium, number, "BetaMSP", "AlphaMSP")
        for number in range(engine.ledger.height)
    ]
    collections = {
        (namespace, collection)
        for block in seen
        for entries in block.values()
        for namespace, collection, _ in entries
    }
    assert collections == {("_lifecycle", "_implicit_org_BetaMSP")}


async def test_headers_alone_come_with_private_data(engine: Engine, consortium: Consortium) -> None:
    number = await write(engine, consortium, OWN, "k")
    answer, _ = await _delivered(
        engine, consortium, number, peer="AlphaMSP", client="AlphaMSP", content_type="HEADER_WITH_SIG"
    )
    content = answer.block_and_private_data
    assert not content.block.HasField("data")
    assert list(content.private_data_map) == [0]


async def test_data_of_an_undefined_collection_ends_the_stream_in_fabrics_words(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await write(engine, consortium, OWN, "k")
    monkeypatch.setattr("fabric_embedded.services.private_blocks.collections_below", lambda *_arguments: b"")
    with pytest.raises(ServiceError) as caught:
        await _delivered(engine, consortium, number, peer="AlphaMSP", client="AlphaMSP")
    assert caught.value.message == (
        f"no collection config was found for collection {OWN} for chaincode {CHAINCODE}"
    )


async def test_who_may_not_follow_blocks_gets_no_private_data(engine: Engine, consortium: Consortium) -> None:
    stranger = consortium.organizations["AlphaMSP"].member("client", name="expired")
    position = {"specified": {"number": 0}}
    request = seek_request(position, position, member=stranger, channel=CHANNEL)
    stream = PeerDeliverService(engine, "AlphaMSP")._private
    answers = [events_pb2.DeliverResponse.FromString(data) async for data in stream.responses(asked(request))]
    assert [answer.status for answer in answers] == [common_pb2.FORBIDDEN]
