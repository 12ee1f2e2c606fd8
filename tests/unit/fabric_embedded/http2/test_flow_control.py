"""How much each side of a connection may send; few bytes must not make much work."""

from __future__ import annotations

import pytest
from support.http2_client import LAST, Client, echo, forever, message, turns

from fabric_embedded.http2 import frames
from fabric_embedded.http2.frames import ErrorCode, Setting, frame
from fabric_embedded.http2.server import ServerCall

pytestmark = pytest.mark.unit


async def test_an_answer_waits_until_it_may_be_sent() -> None:
    client = Client(echo)
    client.send(frames.settings_frame({Setting.INITIAL_WINDOW_SIZE: 10}))
    client.call(1)
    client.send(frame(frames.DATA, frames.END_STREAM, 1, message(bytes(20))))
    assert (await client.answer(1))[0] == message(bytes(20))[:10]
    client.send(frames.settings_frame({Setting.INITIAL_WINDOW_SIZE: 12}))
    assert (await client.answer(1))[0] == message(bytes(20))[:12]
    client.send(frames.window_update(1, 100))
    data, headers = await client.answer(1)
    assert (data, headers["grpc-status"]) == (message(bytes(20)), "0")


async def test_an_answer_waits_while_the_transport_has_enough() -> None:
    client = Client(echo)
    client.connection.pause_writing()
    assert not client.transport.reading
    client.call(1)
    client.send(frame(frames.DATA, frames.END_STREAM, 1, message(b"x")))
    assert (await client.answer(1))[0] == b""
    client.connection.resume_writing()
    assert client.transport.reading
    assert (await client.answer(1))[0] == message(b"x")


async def test_who_keeps_to_no_window_is_hung_up_on() -> None:
    client = Client(forever)
    client.call(1)
    one = message(bytes(1000))
    for _ in range(frames.DEFAULT_WINDOW // len(one)):
        client.send(frame(frames.DATA, 0, 1, one))
    assert await client.fault() is None
    client.send(frame(frames.DATA, 0, 1, one))
    assert await client.fault() == (ErrorCode.FLOW_CONTROL_ERROR, "data beyond the stream's window")


async def test_padding_counts_for_the_window_too() -> None:
    client = Client(forever)
    client.call(1)
    for _ in range(2 + frames.DEFAULT_WINDOW // 250):
        client.send(frame(frames.DATA, frames.PADDED, 1, b"\xf9" + bytes(249)))
    # What is passed over is credited at once.
    assert await client.fault() is None
    client.send(frame(frames.DATA, 0, 1, bytes(40_000)) + frame(frames.DATA, 0, 1, bytes(40_000)))
    found = await client.fault()
    assert found is not None
    assert found[0] == ErrorCode.FLOW_CONTROL_ERROR


async def test_data_after_the_end_of_its_stream_is_refused() -> None:
    client = Client(forever)
    client.call(1)
    client.send(frame(frames.DATA, frames.END_STREAM, 1, message(b"x")) + frame(frames.DATA, 0, 1, b"y"))
    assert await client.fault() == (ErrorCode.STREAM_CLOSED, "data after the end of its stream")


async def test_settings_without_end_are_refused() -> None:
    client = Client(forever)
    for number in range(99):
        client.send(frames.settings_frame({Setting.INITIAL_WINDOW_SIZE: number}))
    assert await client.fault() is None
    client.send(frames.settings_frame({}))
    assert await client.fault() == (ErrorCode.ENHANCE_YOUR_CALM, "too_many_settings")


async def test_a_window_of_one_byte_makes_work_for_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    async def large(call: ServerCall) -> None:
        await call.receive()
        call.respond(bytes(60_000))

    client, pumped = Client(large), []
    client.connection.window = 0
    numbers = range(1, 31, 2)
    for number in numbers:
        client.call(number, LAST)
    await turns()
    assert set(client.connection.blocked) == set(numbers)
    pump = ServerCall.pump
    monkeypatch.setattr(ServerCall, "pump", lambda call: (pumped.append(call.number), pump(call))[1])
    for _ in range(50):
        client.send(frames.window_update(0, 1))
    assert len(pumped) == 50
    assert set(client.connection.blocked) == set(numbers)
    client.send(frames.window_update(0, len(numbers) * 60_100))
    for number in numbers:
        assert (await client.answer(number))[1]["grpc-status"] == "0"


async def test_pings_between_parts_of_a_large_answer_measure_it() -> None:
    async def large(call: ServerCall) -> None:
        await call.receive()
        call.respond(bytes(200_000))

    client = Client(large)
    client.call(1, LAST)
    for _ in range(14):
        await turns()
        client.send(frame(frames.PING, 0, 0, b"12345678") + frames.window_update(0, 10_000))
        client.send(frames.window_update(1, 10_000))
    assert await client.fault() is None
    assert (await client.answer(1))[1]["grpc-status"] == "0"


async def test_streams_without_a_window_of_their_own_wait_for_that() -> None:
    client = Client(echo)
    client.send(frames.settings_frame({Setting.INITIAL_WINDOW_SIZE: 0}))
    client.call(1)
    client.send(frame(frames.DATA, frames.END_STREAM, 1, message(b"hello")))
    client.send(frames.window_update(0, 1000))
    assert (await client.answer(1))[0] == b""
    assert not client.connection.blocked
    client.connection.pause_writing()
    client.send(frames.window_update(1, 1000))
    client.connection.resume_writing()
    assert (await client.answer(1))[0] == message(b"hello")


async def test_a_window_beyond_the_limit_ends_its_stream_alone() -> None:
    client = Client(forever)
    client.call(1)
    client.send(frames.window_update(1, 2**31 - 1))
    assert (frames.RST_STREAM, 0, 1, b"\0\0\0\x03") in await client.received()
    assert await client.fault() is None
