"""The stream to a chaincode service, against grpcio's server: bursts, large messages, every way to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from fabric_embedded.chaincode.stream import MessageStream, ServiceAddress, dial

_SECONDS = 60
_LARGE = 9 * 2**20
Talk = Callable[[Any], Awaitable[None]]


@asynccontextmanager
async def _served(talk: Talk) -> AsyncIterator[tuple[MessageStream, Any]]:
    """A stream to a service that talks so, in bytes, and the service."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])

    async def connect(_requests: Any, context: Any) -> None:
        await talk(context)

    method = grpc.stream_stream_rpc_method_handler(connect)
    handler = grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": method})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stream = await dial(ServiceAddress(f"127.0.0.1:{port}"))()
    try:
        yield stream, server
    finally:
        await stream.close()
        await server.stop(0)


async def _echo(context: Any) -> None:
    while (data := await context.read()) is not grpc.aio.EOF:
        await context.write(data)


async def _received(stream: MessageStream) -> ChaincodeMessage | None:
    async with asyncio.timeout(_SECONDS):
        return await stream.receive()


async def test_a_burst_arrives_whole_and_in_order() -> None:
    async with _served(_echo) as (stream, _):
        sent = [ChaincodeMessage(txid=str(number), payload=b"x" * (number % 300)) for number in range(1500)]
        sending = asyncio.create_task(stream.send(sent))
        assert [await _received(stream) for _ in sent] == sent
        await sending


async def test_messages_larger_than_every_window_pass_both_ways() -> None:
    async with _served(_echo) as (stream, _):
        large = ChaincodeMessage(txid="large", payload=bytes(_LARGE))
        sending = asyncio.create_task(stream.send([large, ChaincodeMessage(txid="small")]))
        assert await _received(stream) == large
        assert await _received(stream) == ChaincodeMessage(txid="small")
        await sending


async def _leaves(_context: Any) -> None:
    return


async def _refuses(context: Any) -> None:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")


async def _fails(_context: Any) -> None:
    raise RuntimeError("a service's own mistake")


async def _babbles(context: Any) -> None:
    await context.write(b"\xff\xff no message")
    await asyncio.Event().wait()


@pytest.mark.parametrize("talk", [_leaves, _refuses, _fails, _babbles])
async def test_whatever_ends_it_is_the_end(talk: Talk) -> None:
    async with _served(talk) as (stream, _):
        assert await _received(stream) is None


async def _claims_too_much(context: Any) -> None:
    await context.write(bytes(100 * 2**20 + 1))


async def test_a_message_that_is_too_large_is_the_end() -> None:
    async with _served(_claims_too_much) as (stream, _):
        assert await _received(stream) is None


async def test_a_lost_connection_wakes_who_reads_and_leaves_his_task_alone() -> None:
    async with _served(_echo) as (stream, server):
        reading = asyncio.create_task(stream.receive())
        await stream.send([ChaincodeMessage(txid="first")])
        async with asyncio.timeout(_SECONDS):
            assert await reading == ChaincodeMessage(txid="first")
            reading = asyncio.create_task(stream.receive())
            await asyncio.sleep(0)
            await server.stop(0)
            assert await reading is None
        assert reading.cancelling() == 0
        with pytest.raises(ConnectionError):
            await stream.send([ChaincodeMessage(txid="late")])


async def test_closing_it_is_the_end_for_both() -> None:
    ended = asyncio.Event()

    async def listens(context: Any) -> None:
        try:
            await _echo(context)
        finally:
            ended.set()

    async with _served(listens) as (stream, _):
        await stream.send([ChaincodeMessage(txid="first")])
        assert await _received(stream) == ChaincodeMessage(txid="first")
        await stream.close()
        assert await _received(stream) is None
        async with asyncio.timeout(_SECONDS):
            await ended.wait()


@pytest.mark.parametrize("target", ["127.0.0.1:1", "127.0.0.1", "127.0.0.1:port", "no.such.host.invalid:1"])
async def test_where_nobody_answers_no_stream_opens(target: str) -> None:
    with pytest.raises(ConnectionError, match="no chaincode service at"):
        await dial(ServiceAddress(target))()


@pytest.mark.parametrize(
    "address",
    [
        ServiceAddress("127.0.0.1:1", b"no certificate"),
        ServiceAddress("127.0.0.1:1", b"", b"certificate", b"key"),
    ],
)
async def test_certificates_that_are_none_open_no_stream(address: ServiceAddress) -> None:
    with pytest.raises(ConnectionError, match="no chaincode service at"):
        await dial(address)()
