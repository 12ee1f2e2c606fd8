"""Streams of events and blocks."""

import threading

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway

from fabric_gateway import Network, StreamError
from fabric_gateway.failures import StatusFailure
from fabric_protocol.identities import parse_identity
from fabric_protocol.signatures import verify


def handler(call: Call) -> tuple[bytes, str, bytes]:
    return b"", "Happened.v1", call.arguments[0]


def network(gateway: FakeGateway) -> Network:
    return gateway.gateway().network(CHANNEL)


def block(number: int) -> bytes:
    header = common_pb2.BlockHeader(number=number, previous_hash=b"p" * 300)
    return bytes(common_pb2.Block(header=header).SerializeToString())


def delivered(data: bytes) -> bytes:
    response = events_pb2.DeliverResponse(block=common_pb2.Block.FromString(data))
    return bytes(response.SerializeToString())


def test_events_come_in_order_with_their_blocks() -> None:
    gateway = FakeGateway(handler)
    contract = network(gateway).contract(CHAINCODE)
    for payload in (b"1", b"2", b"3"):
        contract.submit("f", payload)
    with network(gateway).chaincode_events(CHAINCODE, start_block=2) as stream:
        events = iter(stream)
        first, second = next(events), next(events)
    assert [(event.block_number, event.name, event.payload) for event in (first, second)] == [
        (2, "Happened.v1", b"2"),
        (3, "Happened.v1", b"3"),
    ]


def test_closing_a_stream_from_another_thread_ends_the_iteration() -> None:
    stream = network(FakeGateway(handler)).chaincode_events(CHAINCODE, start_block=0)
    threading.Timer(0.05, stream.close).start()
    assert list(stream) == []


def test_a_broken_stream_is_an_error() -> None:
    gateway = FakeGateway(handler)
    stream = network(gateway).chaincode_events(CHAINCODE)
    threading.Timer(0.05, gateway.break_streams).start()
    with pytest.raises(StreamError) as caught:
        list(stream)
    assert caught.value.code == "UNAVAILABLE"


def test_a_refused_stream_is_an_error() -> None:
    gateway = FakeGateway(handler, failures={"chaincode_events": [StatusFailure("PERMISSION_DENIED", "no")]})
    with pytest.raises(StreamError) as caught:
        network(gateway).chaincode_events(CHAINCODE)
    assert caught.value.code == "PERMISSION_DENIED"


def test_a_negative_start_block_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a block number"):
        network(FakeGateway(handler)).chaincode_events(CHAINCODE, start_block=-1)


def test_blocks_are_the_bytes_that_were_sent() -> None:
    gateway = FakeGateway(handler)
    # A field that this client does not know, in front of one that it does: re-encoding would move it.
    unknown = b"\x22\x01x" + block(1)
    gateway.blocks = [delivered(block(0)), b"\x12" + _varint(len(unknown)) + unknown]
    assert list(network(gateway).blocks(0, 1)) == [block(0), unknown]


def test_the_request_for_blocks_is_signed_and_names_them() -> None:
    gateway = FakeGateway(handler)
    gateway.blocks = [delivered(block(3))]
    assert list(network(gateway).blocks(3, 3)) == [block(3)]
    envelope = gateway.requests[-1]
    verify(parse_identity(gateway.client.serialized).public_key, envelope.signature, envelope.payload)
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    seek = ab_pb2.SeekInfo.FromString(payload.data)
    assert (header.channel_id, header.type) == (CHANNEL, common_pb2.DELIVER_SEEK_INFO)
    assert (seek.start.specified.number, seek.stop.specified.number) == (3, 3)


def test_the_newest_block_is_asked_for_by_position_and_not_by_number() -> None:
    gateway = FakeGateway(handler)
    gateway.blocks = [delivered(block(41))]
    assert network(gateway).newest_block() == block(41)
    payload = common_pb2.Payload.FromString(gateway.requests[-1].payload)
    seek = ab_pb2.SeekInfo.FromString(payload.data)
    assert (seek.start.WhichOneof("Type"), seek.stop.WhichOneof("Type")) == ("newest", "newest")


def test_a_peer_that_gives_no_newest_block_is_an_error() -> None:
    gateway = FakeGateway(handler)
    gateway.blocks = []
    with pytest.raises(StreamError) as caught:
        network(gateway).newest_block()
    assert caught.value.code == "STREAM_ENDED"


def test_a_stream_that_ends_before_its_stop_is_an_error() -> None:
    gateway = FakeGateway(handler)
    gateway.blocks = [delivered(block(0))]
    blocks = network(gateway).blocks(0, 5)
    assert next(blocks) == block(0)
    with pytest.raises(StreamError) as caught:
        next(blocks)
    assert caught.value.code == "STREAM_ENDED"


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (events_pb2.DeliverResponse(status=common_pb2.FORBIDDEN).SerializeToString(), "FORBIDDEN"),
        (events_pb2.DeliverResponse(status=common_pb2.NOT_FOUND).SerializeToString(), "NOT_FOUND"),
        (events_pb2.DeliverResponse(filtered_block={"number": 1}).SerializeToString(), "INVALID_RESPONSE"),
        (b"", "INVALID_RESPONSE"),
        (b"\x12\x05abc", "INVALID_RESPONSE"),
        (b"\x12", "INVALID_RESPONSE"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "INVALID_RESPONSE"),
        (b"\xff\xff", "INVALID_RESPONSE"),
    ],
)
def test_anything_but_a_block_is_an_error(response: bytes, code: str) -> None:
    gateway = FakeGateway(handler)
    gateway.blocks = [response]
    with pytest.raises(StreamError) as caught:
        list(network(gateway).blocks(0, 0))
    assert caught.value.code == code


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (2, 1)])
def test_a_range_that_is_none_is_refused_before_anything_is_sent(start: int, stop: int | None) -> None:
    gateway = FakeGateway(handler)
    with pytest.raises(ValueError, match="expected 0 ≤ start ≤ stop"):
        network(gateway).blocks(start, stop)
    assert gateway.requests == []


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
