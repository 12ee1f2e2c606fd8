"""Whatever comes over a socket, the service goes on with the peers that behave, and its log stays quiet."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Iterator

import grpc
import grpc.aio
import pytest
from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError
from support.scripted_peer import Message
from support.service_process import DEADLINE, Peer, Service, start

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
SEED = 20261129


@pytest.fixture
async def service() -> Service:
    service = await start({"CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0", "CHAINCODE_TLS_DISABLED": "true"})
    yield service
    if service.process.returncode is None:
        await service.terminate()


async def send(address: str, data: bytes) -> None:
    """Send bytes, read whatever comes until the service hangs up or a moment has passed, and hang up."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(0.05):
            while await reader.read(65536):
                pass
    except (OSError, TimeoutError):
        pass
    finally:
        writer.close()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def hostile_bytes(rng: random.Random) -> Iterator[bytes]:
    """Noise, HTTP/1, half a preface, and frames of every kind with contents that do not fit."""
    yield rng.randbytes(200)
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield PREFACE[:10]
    for _ in range(60):
        frames = b"".join(
            frame(rng.randrange(16), rng.randrange(256), rng.randrange(4), rng.randbytes(rng.randrange(40)))
            for _ in range(rng.randrange(1, 6))
        )
        yield PREFACE + SETTINGS + frames


async def test_noise_and_broken_frames_harm_nobody(service: Service) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        good = Peer(channel)
        await good.handshake()
        for data in hostile_bytes(random.Random(SEED)):
            await send(service.address, data)
        assert (await good.call(b"notes:read", b"k", value=b"v")).payload == b"v"
    status, log = await service.terminate()
    assert status == 0
    assert "Traceback" not in log, log[-3000:]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"\0" + struct.pack(">I", 2**31), grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x01" + struct.pack(">I", 3) + b"abc", grpc.StatusCode.INVALID_ARGUMENT),
        (b"\0" + struct.pack(">I", 9) + b"abc", grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=["too-large", "compressed", "cut-off"],
)
async def test_a_message_that_is_none_ends_its_stream_only(
    service: Service, sent: bytes, expected: grpc.StatusCode
) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        good = Peer(channel)
        await good.handshake()
        with pytest.raises(GRPCError) as refused:
            await talk_raw(service.address, sent)
        assert refused.value.status.value == expected.value[0]
        assert (await good.call(b"notes:read", b"k", value=b"v")).payload == b"v"


async def talk_raw(address: str, sent: bytes) -> None:
    """Send bytes as the content of a stream, and read its end."""
    host, _, port = address.rpartition(":")
    async with (
        Channel(host, int(port)) as channel,
        channel.request("/protos.Chaincode/Connect", Cardinality.STREAM_STREAM, Message, Message) as call,
    ):
        await call.send_request()
        assert (await asyncio.wait_for(call.recv_message(), DEADLINE)).type == Message.REGISTER
        await call._stream.send_data(sent)
        await call.end()
        await asyncio.wait_for(call.recv_message(), DEADLINE)


async def test_a_method_that_is_not_the_protocols_is_refused(service: Service) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        call = channel.stream_stream("/protos.Chaincode/Other")()
        assert await asyncio.wait_for(call.code(), DEADLINE) == grpc.StatusCode.UNIMPLEMENTED


async def test_peers_that_vanish_leave_nothing_running(service: Service) -> None:
    for number in range(20):
        async with grpc.aio.insecure_channel(service.address) as channel:
            peer = Peer(channel)
            await peer.handshake()
            await peer.say_call(b"notes:wait", b"60000", txid=f"tx{number}")
    async with grpc.aio.insecure_channel(service.address) as channel:
        good = Peer(channel)
        await good.handshake()
        assert (await good.call(b"notes:read", b"k", value=b"v")).payload == b"v"
    status, log = await asyncio.wait_for(service.terminate(), DEADLINE)
    assert (status, "Traceback" in log) == (0, False)
