"""The connection that dials a chaincode service: what comes is received, what a service may do is borne."""

from __future__ import annotations

import pytest
from hpack import Encoder
from support.http2_client import LAST, Transport, message, turns

from fabric_embedded.http2 import frames
from fabric_embedded.http2.client import ClientCall, ClientConnection
from fabric_embedded.http2.frames import ErrorCode, frame

pytestmark = pytest.mark.unit
PING = frame(frames.PING, 0, 0, b"12345678")


def dialled() -> tuple[ClientConnection, Transport, ClientCall]:
    connection, transport = ClientConnection(), Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]
    call = connection.call("/protos.Chaincode/Connect", "127.0.0.1:7052", "http")
    connection.data_received(frames.settings_frame({}))
    return connection, transport, call


async def test_messages_are_received_and_then_the_end() -> None:
    connection, transport, call = dialled()
    connection.data_received(frame(frames.DATA, 0, 1, message(b"one") + message(b"two")[:4]))
    connection.data_received(frame(frames.DATA, 0, 1, message(b"two")[4:]))
    trailers = Encoder().encode([("grpc-status", "0")])
    connection.data_received(frame(frames.HEADERS, LAST, 1, trailers))
    await turns()
    assert transport.written.startswith(frames.PREFACE)
    assert [await call.receive(), await call.receive(), await call.receive()] == [b"one", b"two", None]


async def test_a_service_pings_as_often_as_it_measures() -> None:
    connection, transport, call = dialled()
    for _ in range(50):
        connection.data_received(PING)
    connection.data_received(frame(frames.DATA, 0, 1, message(b"one")))
    await turns()
    assert transport.written.count(frame(frames.PING, frames.ACK, 0, b"12345678")) == 50
    assert not transport.closed
    assert await call.receive() == b"one"


async def test_what_is_sent_goes_to_the_service() -> None:
    _, transport, call = dialled()
    await call.send([b"one", b"two"])
    await turns()
    assert frame(frames.DATA, 0, 1, message(b"one") + message(b"two")) in transport.written


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(frames.reset(1, ErrorCode.CANCEL), id="reset"),
        pytest.param(frames.goaway(1, ErrorCode.NO_ERROR), id="the service goes away"),
        pytest.param(frame(frames.PUSH_PROMISE, 0, 1, bytes(8)), id="push"),
        pytest.param(frame(frames.HEADERS, LAST, 2, b"\x88"), id="a stream that nobody asked for"),
        pytest.param(frame(frames.HEADERS, LAST, 1, b"\x8d"), id="not found"),
    ],
)
async def test_what_ends_a_call_ends_the_conversation(said: bytes) -> None:
    connection, transport, call = dialled()
    connection.data_received(frame(frames.DATA, 0, 1, message(b"one")) + said)
    await turns()
    if transport.closed:
        connection.connection_lost(None)
    assert [await call.receive(), await call.receive()] == [b"one", None]


async def test_a_lost_connection_ends_the_conversation_in_both_directions() -> None:
    connection, _, call = dialled()
    connection.connection_lost(None)
    assert await call.receive() is None
    with pytest.raises(ConnectionError):
        await call.send([b"late"])
