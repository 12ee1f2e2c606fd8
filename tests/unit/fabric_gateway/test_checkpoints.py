"""Positions that are kept, and streams that go on after them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import chaincode_event_pb2, events_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway

from fabric_gateway import (
    FileCheckpointer,
    FilteredBlock,
    FilteredTransaction,
    InMemoryCheckpointer,
    Network,
    Position,
    StreamError,
    StreamPatience,
)
from fabric_gateway.failures import StatusFailure

PATIENT = StreamPatience(reconnect_for=60.0)


def handler(call: Call) -> tuple[bytes, str, bytes]:
    return b"", "Happened.v1", call.arguments[0]


def network(gateway: FakeGateway) -> Network:
    return gateway.gateway().network(CHANNEL)


def delivered(number: int) -> bytes:
    block = common_pb2.Block(header=common_pb2.BlockHeader(number=number))
    return bytes(events_pb2.DeliverResponse(block=block).SerializeToString())


def asked(gateway: FakeGateway) -> list[int]:
    """The first block of each request for blocks."""
    payloads = [common_pb2.Payload.FromString(envelope.payload) for envelope in gateway.requests]
    return [ab_pb2.SeekInfo.FromString(payload.data).start.specified.number for payload in payloads]


class ScriptedStreams(FakeGateway):
    """A gateway whose streams are scripted, one a call: responses, and a failure at their end."""

    script: list[list[Any]]

    def deliver(self, envelope: Any) -> Iterator[bytes]:  # type: ignore[override]
        self._fail("deliver", envelope)
        return Scripted(self.script.pop(0))  # type: ignore[return-value]


class Scripted:
    def __init__(self, items: list[Any]) -> None:
        self._items = items
        self._cancelled = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for item in self._items:
            if item == "silence":
                self._cancelled.wait()
            elif isinstance(item, Exception):
                raise item
            else:
                yield item

    def cancel(self) -> None:
        self._cancelled.set()


def scripted(*streams: list[Any]) -> ScriptedStreams:
    gateway = ScriptedStreams(handler)
    gateway.script = list(streams)
    return gateway


def numbers(stream: Iterator[bytes]) -> list[int]:
    return [common_pb2.Block.FromString(data).header.number for data in stream]


GONE = StatusFailure("UNAVAILABLE", "gone")


def test_blocks_go_on_where_a_stream_broke_off() -> None:
    gateway = scripted([delivered(0), delivered(1), GONE], [GONE], [delivered(2)], [delivered(3)])
    assert numbers(network(gateway).blocks(0, 3, patience=PATIENT)) == [0, 1, 2, 3]
    assert asked(gateway) == [0, 2, 2, 3]


def test_without_patience_a_broken_stream_is_an_error() -> None:
    stream = network(scripted([delivered(0), GONE])).blocks(0, 3)
    assert numbers(islice(stream, 1)) == [0]
    with pytest.raises(StreamError) as caught:
        next(stream)
    assert caught.value.code == "UNAVAILABLE"


def test_patience_has_an_end() -> None:
    stream = network(scripted(*[[GONE]] * 20)).blocks(0, 3, patience=StreamPatience(reconnect_for=0.2))
    with pytest.raises(StreamError) as caught:
        next(stream)
    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT", "NOT_FOUND"])
def test_a_refusal_is_not_asked_again(code: str) -> None:
    gateway = scripted([StatusFailure(code, "no")], [delivered(0)])
    with pytest.raises(StreamError) as caught:
        next(network(gateway).blocks(0, 0, patience=PATIENT))
    assert caught.value.code == code


def test_a_silent_stream_is_broken_off_and_opened_again() -> None:
    gateway = scripted([delivered(0), "silence"], [delivered(1)])
    patience = StreamPatience(reconnect_for=60.0, idle_timeout=0.5)
    assert numbers(network(gateway).blocks(0, 1, patience=patience)) == [0, 1]


def test_a_silent_stream_is_an_error_without_reconnecting() -> None:
    stream = network(scripted(["silence"])).blocks(0, 1, patience=StreamPatience(idle_timeout=0.05))
    with pytest.raises(StreamError) as caught:
        next(stream)
    assert caught.value.code == "STALLED"


@pytest.mark.parametrize("number", [0, 2, 7])
def test_a_block_out_of_turn_is_an_error(number: int) -> None:
    stream = network(scripted([delivered(number)], [delivered(1)])).blocks(1, 3, patience=PATIENT)
    with pytest.raises(StreamError) as caught:
        next(stream)
    assert caught.value.code == "INVALID_RESPONSE"


def test_closing_ends_a_stream_that_waits_to_reconnect() -> None:
    gateway = scripted(*[[GONE]] * 50)
    stream = network(gateway).blocks(0, patience=StreamPatience(reconnect_for=60.0))
    threading.Timer(0.1, stream.close).start()
    assert list(stream) == []


def test_blocks_start_at_the_kept_position() -> None:
    gateway = scripted([delivered(7)])
    kept = InMemoryCheckpointer(Position(7))
    assert numbers(network(gateway).blocks(0, 7, checkpointer=kept)) == [7]


def test_events_go_on_after_the_last_one_processed() -> None:
    gateway = FakeGateway(handler)
    contract = network(gateway).contract(CHAINCODE)
    for number in range(4):
        contract.submit("f", str(number))
    kept = InMemoryCheckpointer()
    for start, expected in ((1, [b"0", b"1"]), (1, [b"2", b"3"])):
        with network(gateway).chaincode_events(CHAINCODE, start_block=start, checkpointer=kept) as stream:
            for event, payload in zip(stream, expected, strict=False):
                assert event.payload == payload
                kept.save(event.position)
                if payload == expected[-1]:
                    break


def test_events_of_the_next_block_are_not_lost_while_the_stream_is_broken() -> None:
    gateway = FakeGateway(handler)
    gateway.blocks = [delivered(0)]
    contract = network(gateway).contract(CHAINCODE)
    with network(gateway).chaincode_events(CHAINCODE, patience=PATIENT) as stream:
        gateway.break_streams()
        contract.submit("f", "first")
        assert next(stream).payload == b"first"


@pytest.mark.parametrize(
    ("event", "block"), [({"chaincode_id": "other"}, 5), ({"chaincode_id": CHAINCODE}, 4)]
)
def test_events_that_were_not_asked_for_are_an_error(event: dict[str, str], block: int) -> None:
    class Lying(FakeGateway):
        def chaincode_events(self, request: Any) -> Any:
            item = chaincode_event_pb2.ChaincodeEvent(tx_id="t", event_name="n", **event)
            return Scripted([gateway_pb2.ChaincodeEventsResponse(events=[item], block_number=block)])

    with pytest.raises(StreamError) as caught:
        next(network(Lying(handler)).chaincode_events(CHAINCODE, start_block=5, patience=PATIENT))
    assert caught.value.code == "INVALID_RESPONSE"


def test_a_transaction_without_its_block_is_refused() -> None:
    with pytest.raises(ValueError, match="without start_block"):
        network(FakeGateway(handler)).chaincode_events(CHAINCODE, after_transaction_id="a")


def test_filtered_blocks_are_readable() -> None:
    block = events_pb2.FilteredBlock(channel_id=CHANNEL, number=3)
    transaction = block.filtered_transactions.add(txid="a" * 64, type=3, tx_validation_code=11)
    transaction.transaction_actions.chaincode_actions.add().chaincode_event.event_name = "Happened"
    gateway = scripted([events_pb2.DeliverResponse(filtered_block=block).SerializeToString()])
    assert list(network(gateway).filtered_blocks(3, 3)) == [
        FilteredBlock(
            CHANNEL,
            3,
            (FilteredTransaction("a" * 64, "ENDORSER_TRANSACTION", "MVCC_READ_CONFLICT", ("Happened",)),),
        )
    ]


def test_blocks_come_with_private_writes() -> None:
    response = events_pb2.DeliverResponse()
    response.block_and_private_data.block.header.number = 2
    private = rwset_pb2.TxPvtReadWriteSet()
    private.ns_pvt_rwset.add(namespace=CHAINCODE).collection_pvt_rwset.add(collection_name="secrets")
    response.block_and_private_data.private_data_map[1].CopyFrom(private)
    (item,) = network(scripted([response.SerializeToString()])).blocks_with_private_data(2, 2)
    assert item.number == 2
    assert item.block == response.block_and_private_data.block.SerializeToString()
    (namespace,) = item.private_writes[1].namespaces
    assert (namespace.namespace, namespace.collections[0].name) == (CHAINCODE, "secrets")


@pytest.mark.parametrize("form", ["filtered_blocks", "blocks_with_private_data"])
@pytest.mark.parametrize("response", [delivered(0), b"", b"\xff\xff", b"\x22\x05abc"])
def test_another_form_of_block_is_an_error(form: str, response: bytes) -> None:
    with pytest.raises(StreamError) as caught:
        next(getattr(network(scripted([response])), form)(0, 0))
    assert caught.value.code == "INVALID_RESPONSE"


@given(st.integers(0, 2**63), st.text("0123456789abcdef", max_size=64))
def test_a_file_keeps_positions(tmp_path_factory: pytest.TempPathFactory, number: int, name: str) -> None:
    path = tmp_path_factory.mktemp("kept") / "position.json"
    assert FileCheckpointer(path).position is None
    FileCheckpointer(path).save(Position(number, name))
    assert FileCheckpointer(path).position == Position(number, name)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "block_number": 1, "transaction_id": ""}',
        '{"version": 1, "block_number": -1, "transaction_id": ""}',
        '{"version": 1, "block_number": true, "transaction_id": ""}',
        '{"version": 1, "block_number": 1, "transaction_id": null}',
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "position.json"
    path.write_text(content)
    with pytest.raises(StreamError) as caught:
        FileCheckpointer(path)
    assert caught.value.code == "CHECKPOINT_INVALID"


@pytest.mark.parametrize(
    "options", [{"reconnect_for": -1}, {"reconnect_for": float("inf")}, {"idle_timeout": 0}]
)
def test_patience_that_is_none_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected seconds"):
        StreamPatience(**options)  # type: ignore[arg-type]
