"""gRPC's framing, on grpclib's own buffer but without a connection."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from grpclib.protocol import Buffer
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from h2.exceptions import StreamClosedError
from hyperframe.frame import DataFrame
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_peer import Message

from fabric_shim import ConversationError
from fabric_shim.grpc_stream import GrpcStream, take_large_frames
from fabric_shim.messages import MOST_MESSAGE_BYTES


class Call:
    """What ``GrpcStream`` needs of an HTTP/2 stream."""

    def __init__(self, *frames: bytes, ends: bool = True) -> None:
        self.buffer = Buffer(lambda size: None)
        self.sent: list[bytes] = []
        self.open = True
        for frame in frames:
            self.buffer.add(frame, len(frame))
        if ends:
            self.buffer.eof()

    async def recv_data(self, size: int) -> bytes:
        return await self.buffer.read(size)

    async def send_data(self, data: bytes) -> None:
        if not self.open:
            raise StreamClosedError(1)
        self.sent.append(data)


def framed(message):
    data = message.SerializeToString()
    return b"\0" + len(data).to_bytes(4, "big") + data


MESSAGES = [Message(type=Message.RESPONSE, txid=str(number), payload=b"x" * number) for number in range(5)]


async def read_all(stream):
    found = []
    while (message := await stream.receive()) is not None:
        found.append(message)
    return found


@given(st.lists(st.integers(1, 60), max_size=30))
def test_messages_are_found_wherever_frames_are_cut(cuts):
    data, frames = b"".join(map(framed, MESSAGES)), []
    for length in cuts:
        frames.append(data[:length])
        data = data[length:]
    call = Call(*[frame for frame in [*frames, data] if frame])
    assert asyncio.run(read_all(GrpcStream(call))) == MESSAGES


async def test_what_is_sent_at_once_is_one_write():
    call = Call()
    await GrpcStream(call).send(MESSAGES)
    assert call.sent == [b"".join(map(framed, MESSAGES))]
    assert await read_all(GrpcStream(Call(*call.sent))) == MESSAGES


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x01\0\0\0\x01a", "compressed"),
        (b"\0" + (MOST_MESSAGE_BYTES + 1).to_bytes(4, "big"), "too many"),
        (b"\0\xff\xff\xff\xff", "too many"),
        (b"\0\0\0\0\x09abc", "inside a message"),
        (b"\0\0", "inside a message"),
        (b"\0\0\0\0\x02\xff\xff", "no ChaincodeMessage"),
    ],
)
async def test_what_is_no_message_ends_the_conversation(data, words):
    with pytest.raises(ConversationError, match=words):
        await GrpcStream(Call(data)).receive()


async def test_a_message_for_an_ended_stream_ends_the_conversation():
    call = Call()
    call.open = False
    with pytest.raises(ConversationError, match="the stream ended"):
        await GrpcStream(call).send(MESSAGES)


def test_the_other_side_may_send_large_frames():
    ours, theirs = H2Connection(H2Configuration(client_side=True)), H2Connection(H2Configuration(False))

    def exchange():
        for _ in range(2):
            theirs.receive_data(ours.data_to_send())
            ours.receive_data(theirs.data_to_send())

    ours.initiate_connection()
    theirs.initiate_connection()
    exchange()
    ours.send_headers(1, [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")])
    take_large_frames(SimpleNamespace(_h2_connection=ours, connection=SimpleNamespace(flush=exchange)))
    ours.increment_flow_control_window(2**20)
    ours.increment_flow_control_window(2**20, 1)
    exchange()
    assert theirs.max_outbound_frame_size == 2**20
    theirs.send_headers(1, [(":status", "200")])
    theirs.send_data(1, b"x" * 2**20)
    (data,) = [e for e in ours.receive_data(theirs.data_to_send()) if isinstance(e, DataReceived)]
    assert len(data.data) == 2**20


def test_no_payload_is_written_out_by_the_library_below() -> None:
    assert b"secret".hex() not in repr(DataFrame(1, b"secret"))
