"""Deliver and Broadcast over an engine without sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2
from support.fake_engine import FakeEngine
from support.sample_channel import CHANNEL, members
from support.sample_organizations import SampleOrganization
from support.seek_requests import asked, seek_request

from fabric_embedded.services.broadcast import BroadcastService
from fabric_embedded.services.deliver import DeliverStream, PeerDeliverService, orderer_deliver

pytestmark = pytest.mark.unit

SUCCESS = common_pb2.SUCCESS
CLIENT = members("AlphaMSP").organization.member("client", valid_days=36500)
EXPIRED = members("AlphaMSP").client
STRANGER = SampleOrganization("AlphaMSP").member("client", valid_days=36500)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    for number in range(3):
        block = common_pb2.Block()
        block.header.number = number
        block.data.data.append(b"entry")
        block.metadata.metadata.extend([b"signatures", b"last", b"\0", b"", b"commit hash"])
        engine.ledger.commit(block.SerializeToString())
    return engine


def request(start: Any = None, stop: Any = None, **fields: Any) -> Any:
    return seek_request(start, stop, **{"member": CLIENT, "channel": CHANNEL, **fields})


def peer_stream(engine: FakeEngine) -> DeliverStream:
    return PeerDeliverService(engine, "AlphaMSP")._blocks  # type: ignore[arg-type]


async def answers(stream: DeliverStream, *requests: Any) -> list[Any]:
    """Block numbers and statuses, in order."""
    found = []
    async for data in stream.responses(asked(*requests)):
        response = events_pb2.DeliverResponse.FromString(data)
        kind = response.WhichOneof("Type")
        found.append(response.block.header.number if kind == "block" else f"status {response.status}")
    return found


async def test_blocks_then_success_and_again(engine: FakeEngine) -> None:
    one = {"specified": {"number": 1}}
    assert await answers(peer_stream(engine), request(), request(one, one)) == [
        0,
        1,
        2,
        f"status {SUCCESS}",
        1,
        f"status {SUCCESS}",
    ]


async def test_stored_bytes_go_out_as_they_are(engine: FakeEngine) -> None:
    big = common_pb2.Block()
    big.header.number = 3
    big.data.data.append(b"x" * 100_000)
    engine.ledger.commit(big.SerializeToString())
    responses = [data async for data in peer_stream(engine).responses(asked(request()))]
    assert responses[3] == events_pb2.DeliverResponse(block=big).SerializeToString()
    assert (
        events_pb2.DeliverResponse.FromString(responses[0]).block.SerializeToString()
        == engine.ledger.blocks[0]
    )


async def test_a_block_to_come_is_waited_for_or_not(engine: FakeEngine) -> None:
    three = {"specified": {"number": 3}}
    failing = request(three, three, behavior="FAIL_IF_NOT_READY")
    assert await answers(peer_stream(engine), failing, request()) == [f"status {common_pb2.NOT_FOUND}"]
    waiting = asyncio.create_task(answers(peer_stream(engine), request(three, three)))
    await asyncio.sleep(0)
    assert not waiting.done()
    block = common_pb2.Block()
    block.header.number = 3
    engine.ledger.commit(block.SerializeToString())
    assert await waiting == [3, f"status {SUCCESS}"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"channel": "other"}, common_pb2.NOT_FOUND),
        ({"start": {"specified": {"number": 9}}}, common_pb2.NOT_FOUND),
        ({"member": STRANGER}, common_pb2.FORBIDDEN),
        ({"member": EXPIRED}, common_pb2.FORBIDDEN),
    ],
)
async def test_refusals_end_the_stream(engine: FakeEngine, fields: dict[str, Any], status: int) -> None:
    assert await answers(peer_stream(engine), request(**fields), request()) == [f"status {status}"]


async def test_what_is_no_request_is_a_bad_one(engine: FakeEngine) -> None:
    bad = common_pb2.Envelope(payload=b"\xff")
    assert await answers(peer_stream(engine), bad, request()) == [f"status {common_pb2.BAD_REQUEST}"]


async def test_a_signature_over_something_else_is_forbidden(engine: FakeEngine) -> None:
    forged = request()
    forged.signature = request({"specified": {"number": 1}}).signature
    assert await answers(peer_stream(engine), forged) == [f"status {common_pb2.FORBIDDEN}"]


async def test_headers_alone(engine: FakeEngine) -> None:
    [data, _] = [
        data
        async for data in peer_stream(engine).responses(
            asked(request(stop={"oldest": {}}, content_type="HEADER_WITH_SIG"))
        )
    ]
    block = events_pb2.DeliverResponse.FromString(data).block
    assert not block.HasField("data")
    assert block.metadata.metadata[0] == b"signatures"


async def test_a_filtered_block_is_the_same_with_headers_alone(engine: FakeEngine) -> None:
    stream = PeerDeliverService(engine, "AlphaMSP")._filtered  # type: ignore[arg-type]
    shown = [
        [data async for data in stream.responses(asked(request(content_type=kind)))]
        for kind in ("BLOCK", "HEADER_WITH_SIG")
    ]
    assert shown[0] == shown[1]
    assert events_pb2.DeliverResponse.FromString(shown[1][0]).HasField("filtered_block")


async def test_an_orderers_blocks_have_no_peer_metadata(engine: FakeEngine) -> None:
    stream = orderer_deliver(engine)  # type: ignore[arg-type]
    [data, _] = [data async for data in stream.responses(asked(request(stop={"oldest": {}})))]
    response = ab_pb2.DeliverResponse.FromString(data)
    assert list(response.block.metadata.metadata) == [b"signatures", b"last", b"", b"", b""]


async def test_filtered_blocks_list_transactions_and_events_without_payload() -> None:
    from fabric_protocol.endorsements import event_bytes

    engine = FakeEngine()
    sample = engine.sample
    results = sample.simulate(lambda simulator: simulator.put_state("records", "k", b"v")).public
    event = event_bytes(chaincode="records", transaction_id="t", name="made", payload=b"private")
    sample.commit(sample.block(sample.envelope(results, event=event), b"\xff"))
    for block in sample.blocks:
        engine.ledger.commit(block.SerializeToString())
    stream = PeerDeliverService(engine, "AlphaMSP")._filtered  # type: ignore[arg-type]
    responses = [data async for data in stream.responses(asked(request()))]
    filtered = events_pb2.DeliverResponse.FromString(responses[1]).filtered_block
    assert (filtered.channel_id, filtered.number, len(filtered.filtered_transactions)) == (CHANNEL, 1, 1)
    (first,) = filtered.filtered_transactions
    assert first.type == common_pb2.ENDORSER_TRANSACTION
    assert first.transaction_actions.chaincode_actions[0].chaincode_event.event_name == "made"
    assert b"private" not in responses[1]


async def test_a_block_that_cannot_be_filtered_is_passed_over_with_a_status() -> None:
    engine = FakeEngine()
    sample = engine.sample
    results = sample.simulate(lambda simulator: simulator.put_state("records", "k", b"v")).public
    envelope = common_pb2.Envelope.FromString(sample.envelope(results))
    payload = common_pb2.Payload.FromString(envelope.payload)
    payload.data = b"\xff"
    envelope.payload = payload.SerializeToString()
    sample.commit(sample.block(envelope.SerializeToString()))
    sample.commit(sample.block(sample.envelope(results)))
    for block in sample.blocks:
        engine.ledger.commit(block.SerializeToString())
    stream = PeerDeliverService(engine, "AlphaMSP")._filtered  # type: ignore[arg-type]
    responses = [
        events_pb2.DeliverResponse.FromString(data) async for data in stream.responses(asked(request()))
    ]
    assert [answer.status for answer in responses] == [0, common_pb2.BAD_REQUEST, 0, SUCCESS]
    assert responses[2].filtered_block.number == 2


async def test_broadcast_answers_each_and_ends_after_a_refusal(engine: FakeEngine) -> None:
    envelopes = [common_pb2.Envelope(payload=bytes([number])) for number in range(3)]
    service = BroadcastService(engine)  # type: ignore[arg-type]
    found = [answer.status async for answer in service.broadcast(asked(*envelopes))]
    assert found == [200, 200, 200]
    engine.broadcast_answer = (400, "bad")
    refused = [(answer.status, answer.info) async for answer in service.broadcast(asked(*envelopes))]
    assert refused == [(400, "bad")]
    assert len(engine.broadcasts) == 4
