"""A server's connection, frame by frame: calls, and what ends it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from support.http2_client import HEADERS, LAST, WHOLE, Client, Transport, echo, forever, message, turns

from fabric_embedded.http2 import frames, server
from fabric_embedded.http2.budget import Budget
from fabric_embedded.http2.frames import ErrorCode, frame
from fabric_embedded.http2.server import ServerCall, ServerConnection

pytestmark = pytest.mark.unit


async def test_a_call_is_answered_however_its_bytes_come() -> None:
    for size in (1, 5, 1000):
        client = Client(echo)
        block = client.encoder.encode(HEADERS)
        sent = (
            frame(frames.HEADERS, 0, 1, block[:3])
            + frame(frames.CONTINUATION, 0, 1, block[3:5])
            + frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[5:])
            + frame(frames.DATA, frames.PADDED, 1, b"\x02" + message(b"hello")[:3] + b"\0\0")
            + frame(frames.DATA, 0, 1, message(b"hello")[3:])
            + frame(frames.DATA, frames.END_STREAM, 1)
        )
        for start in range(0, len(sent), size):
            client.send(sent[start : start + size])
        data, headers = await client.answer(1)
        assert (data, headers["grpc-status"]) == (message(b"hello"), "0")
        assert not client.connection.streams


async def test_a_large_answer_comes_in_frames_that_the_client_takes() -> None:
    client = Client(echo)

    async def large(call: ServerCall) -> None:
        await call.receive()
        await call.send(bytes(50_000))
        call.end(5, "no more", [("x-bin", b"\x01")])

    client = Client(large)
    client.call(1, LAST)
    data, headers = await client.answer(1)
    assert data == message(bytes(50_000))
    assert (headers["grpc-status"], headers["grpc-message"], headers["x-bin"]) == ("5", "no more", "AQ")
    assert max(len(payload) for _, _, _, payload in await client.received()) == frames.DEFAULT_FRAME


@pytest.mark.parametrize("ending", ["reset", "lost"])
async def test_nobody_works_for_a_client_that_is_gone(ending: str) -> None:
    was_cancelled: list[bool] = []

    async def handler(call: ServerCall) -> None:
        try:
            await forever(call)
        except asyncio.CancelledError:
            was_cancelled.append(True)
            raise

    client = Client(handler)
    client.call(1)
    client.send(frame(frames.DATA, 0, 1, message(b"x")))
    await turns()
    if ending == "reset":
        client.send(frames.reset(1, ErrorCode.CANCEL))
    else:
        client.connection.connection_lost(None)
    await turns()
    assert was_cancelled == [True]
    assert not client.connection.streams


async def test_who_is_refused_early_is_told_to_send_no_more() -> None:
    async def refusing(call: ServerCall) -> None:
        call.end(8, "no")

    client = Client(refusing)
    client.call(1)
    client.send(frame(frames.DATA, 0, 1, message(b"x")))
    assert (frames.RST_STREAM, 0, 1, bytes(4)) in await client.received()
    client.send(frame(frames.DATA, 0, 1, bytes(10)) + frames.window_update(1, 5))
    client.send(frames.reset(1, ErrorCode.CANCEL))
    assert await client.fault() is None


async def test_a_leaving_server_finishes_and_takes_nothing_new() -> None:
    client = Client(echo)
    client.call(1)
    client.connection.leave()
    assert not client.transport.closed
    client.call(3)
    client.send(frame(frames.DATA, frames.END_STREAM, 1, message(b"x")))
    assert (await client.answer(1))[0] == message(b"x")
    assert (frames.RST_STREAM, 0, 3, b"\0\0\0\x07") in await client.received()
    assert client.transport.closed


@pytest.mark.parametrize(
    "headers",
    [
        [(":method", "GET"), *HEADERS[1:]],
        [*HEADERS[:3], ("content-type", "text/html")],
        HEADERS[:3],
    ],
)
async def test_what_is_no_call_is_reset(headers: Any) -> None:
    client = Client(echo)
    client.call(1, headers=headers)
    assert (frames.RST_STREAM, 0, 1, b"\0\0\0\x01") in await client.received()


async def test_pings_are_answered_and_too_many_are_not() -> None:
    client = Client(echo)
    for _ in range(3):
        client.send(frame(frames.PING, 0, 0, b"12345678"))
        client.send(frame(frames.PING, frames.ACK, 0, b"12345678"))
    assert (frames.PING, frames.ACK, 0, b"12345678") in await client.received()
    client.call(1)
    client.send(frame(frames.DATA, frames.END_STREAM, 1, message(b"x")))
    await turns()
    client.send(frame(frames.PING, 0, 0, b"12345678"))
    assert await client.fault() is None
    for _ in range(3):
        client.send(frame(frames.PING, 0, 0, b"12345678"))
    assert await client.fault() == (ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(frames.DATA, 0, 0, b"x"), ErrorCode.PROTOCOL_ERROR, id="data of no stream"),
        pytest.param(frame(frames.DATA, 0, 1, b"x"), ErrorCode.PROTOCOL_ERROR, id="data of a new stream"),
        pytest.param(frame(frames.CONTINUATION, 0, 1), ErrorCode.PROTOCOL_ERROR, id="continuation"),
        pytest.param(
            frame(frames.HEADERS, 0, 1, b"") + frame(frames.CONTINUATION, 0, 1),
            ErrorCode.ENHANCE_YOUR_CALM,
            id="empty continuation",
        ),
        pytest.param(
            frame(frames.HEADERS, 0, 1, bytes(30_000)) + frame(frames.CONTINUATION, 0, 1, bytes(30_000)),
            ErrorCode.ENHANCE_YOUR_CALM,
            id="headers without end",
        ),
        pytest.param(
            frame(frames.HEADERS, 0, 1, b"") + frame(frames.PING, 0, 0, bytes(8)),
            ErrorCode.PROTOCOL_ERROR,
            id="a frame between headers",
        ),
        pytest.param(frame(frames.HEADERS, WHOLE, 1, b"\x80"), ErrorCode.COMPRESSION_ERROR, id="no headers"),
        pytest.param(frame(frames.HEADERS, 0x8 | WHOLE, 1, b"\x05a"), ErrorCode.PROTOCOL_ERROR, id="padding"),
        pytest.param(frame(frames.HEADERS, 0x20 | WHOLE, 1, b"a"), ErrorCode.FRAME_SIZE_ERROR, id="priority"),
        pytest.param(frame(frames.PUSH_PROMISE, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR, id="push"),
        pytest.param(frame(frames.PING, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR, id="short ping"),
        pytest.param(frame(frames.SETTINGS, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR, id="short settings"),
        pytest.param(frames.settings_frame({4: 2**31}), ErrorCode.FLOW_CONTROL_ERROR, id="large window"),
        pytest.param(frames.settings_frame({5: 1}), ErrorCode.PROTOCOL_ERROR, id="small frames"),
        pytest.param(frames.window_update(0, 0), ErrorCode.FLOW_CONTROL_ERROR, id="no window"),
        pytest.param(frames.window_update(0, 2**31 - 1), ErrorCode.FLOW_CONTROL_ERROR, id="window beyond"),
        pytest.param(frames.window_update(7, 1), ErrorCode.PROTOCOL_ERROR, id="window of a new stream"),
        pytest.param(frame(frames.WINDOW_UPDATE, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR, id="short window"),
        pytest.param(frames.reset(7, ErrorCode.CANCEL), ErrorCode.PROTOCOL_ERROR, id="reset of a new stream"),
        pytest.param(frames.HEAD.pack(16, 0, 0, 0, 1), ErrorCode.FRAME_SIZE_ERROR, id="a large frame"),
    ],
)
async def test_who_breaks_the_protocol_is_hung_up_on(data: bytes, code: ErrorCode) -> None:
    client = Client(echo)
    if code == ErrorCode.FRAME_SIZE_ERROR and len(data) == frames.HEAD_BYTES:
        data = frames.HEAD.pack(0x100, 1, 0, 0, 1)
    client.send(data)
    found = await client.fault()
    assert found is not None
    assert found[0] == code


async def test_what_is_no_http2_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PREFACE_SECONDS", 0.01)
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"PRI", b""):
        connection, transport = ServerConnection(lambda _path: echo, Budget(), set()), Transport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        if said:
            connection.data_received(said)
        await asyncio.sleep(0.03)
        assert transport.closed
        connection.connection_lost(None)


@pytest.mark.parametrize("seed", range(200))
async def test_random_frames_never_surprise(seed: int) -> None:
    randomness = random.Random(seed)
    client = Client(echo)
    client.call(1)
    for _ in range(30):
        if client.transport.closed:
            break
        kind, flags = randomness.randrange(12), randomness.randrange(256)
        payload = randomness.randbytes(randomness.choice([0, 4, 5, 6, 8, 20]))
        client.send(frame(kind, flags, randomness.choice([0, 1, 1, 3, 5]), payload))
    client.send(randomness.randbytes(200))
    await turns()
    client.connection.connection_lost(None)
    await turns()
    assert not client.connection.streams
