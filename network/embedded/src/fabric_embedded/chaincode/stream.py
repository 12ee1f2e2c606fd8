"""What the conversation with a chaincode service needs of a stream, and gRPC below it, plain or with TLS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import grpc
from fabric_protos.peer import chaincode_shim_pb2, chaincode_shim_pb2_grpc

_MOST_BYTES = 100 * 2**20
_OPTIONS = (
    ("grpc.max_receive_message_length", _MOST_BYTES),
    ("grpc.max_send_message_length", _MOST_BYTES),
)


class MessageStream(Protocol):
    """A bidirectional stream of `ChaincodeMessage`; one task at a time receives, one sends."""

    async def receive(self) -> chaincode_shim_pb2.ChaincodeMessage | None:
        """Next message of the chaincode; None once the stream has ended, for whatever reason."""
        ...

    async def send(self, message: chaincode_shim_pb2.ChaincodeMessage) -> None:
        """Send one message to the chaincode.

        Raises:
            ConnectionError: the stream has ended.
        """
        ...

    async def close(self) -> None:
        """End the stream and the connection below it."""
        ...


OpenStream = Callable[[], Awaitable[MessageStream]]
"""Opens a new stream to one chaincode service."""


@dataclass(frozen=True)
class ServiceAddress:
    """Where a chaincode service listens, and what proves either side to the other (PEM bytes).

    Without a root certificate the connection is plain; without a client certificate only the service proves
    itself.
    """

    target: str
    root_certificate: bytes | None = None
    client_certificate: bytes | None = None
    client_key: bytes | None = None


def dial(address: ServiceAddress) -> OpenStream:
    """How to open streams to a chaincode service: plain, over TLS, or over mutual TLS."""

    async def open_stream() -> MessageStream:
        channel = _channel(address)
        return _GrpcStream(channel, chaincode_shim_pb2_grpc.ChaincodeStub(channel).Connect())

    return open_stream


def _channel(address: ServiceAddress) -> grpc.aio.Channel:
    if address.root_certificate is None:
        return grpc.aio.insecure_channel(address.target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        address.root_certificate, address.client_key, address.client_certificate
    )
    return grpc.aio.secure_channel(address.target, credentials, options=_OPTIONS)


class _GrpcStream:
    """A `MessageStream` over one call on one channel."""

    def __init__(self, channel: grpc.aio.Channel, call: grpc.aio.StreamStreamCall) -> None:
        self._channel = channel
        self._call = call

    async def receive(self) -> chaincode_shim_pb2.ChaincodeMessage | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError:
            return None
        return None if message is grpc.aio.EOF else message

    async def send(self, message: chaincode_shim_pb2.ChaincodeMessage) -> None:
        try:
            await self._call.write(message)
        except (grpc.aio.AioRpcError, grpc.aio.UsageError) as error:
            raise ConnectionError("chaincode stream terminated") from error

    async def close(self) -> None:
        self._call.cancel()
        await self._channel.close()
