"""What the conversation with a chaincode service needs of a stream, and gRPC below it, plain or with TLS.

gRPC is grpclib here, as in `fabric_shim`: no thread stands between a service and the event loop, and what a
burst of transactions sends goes out in one write. The many short calls of the Gateway stay on grpcio.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import grpclib.protocol
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError
from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.utils import Wrapper
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import DataFrame

from fabric_embedded.chaincode.tls import client_context

_METHOD = "/protos.Chaincode/Connect"
_MOST_BYTES = 100 * 2**20
_PREFIX_BYTES = 5
# At HTTP/2's usual 16 KiB a batch of a megabyte is taken apart into sixty frames.
_FRAME_BYTES = 2**20


def _size(frame: DataFrame) -> str:
    return f"<{len(frame.data)} bytes>"


# h2 writes out every frame that it receives, logged or not: 18 ms for one of a megabyte. Nor do payloads
# belong into a log.
DataFrame._body_repr = _size  # type: ignore[assignment]


class MessageStream(Protocol):
    """A bidirectional stream of `ChaincodeMessage`; one task at a time receives, one sends."""

    async def receive(self) -> ChaincodeMessage | None:
        """Next message of the chaincode; None once the stream has ended, for whatever reason."""
        ...

    async def send(self, messages: Sequence[ChaincodeMessage]) -> None:
        """Send messages to the chaincode, in order.

        Raises:
            ConnectionError: the stream has ended.
        """
        ...

    async def close(self) -> None:
        """End the stream and the connection below it."""
        ...


OpenStream = Callable[[], Awaitable[MessageStream]]
"""Opens a new stream to one chaincode service; raises ConnectionError where none answers."""


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
    contexts: list[ssl.SSLContext | None] = []

    async def open_stream() -> MessageStream:
        try:
            if not contexts:
                contexts.append(_context(address))
            return await _open(address.target, contexts[0])
        except (OSError, ValueError) as error:
            raise ConnectionError(f"no chaincode service at {address.target}: {error}") from error

    return open_stream


def _context(address: ServiceAddress) -> ssl.SSLContext | None:
    if address.root_certificate is None:
        return None
    return client_context(address.root_certificate, address.client_certificate, address.client_key)


async def _open(target: str, context: ssl.SSLContext | None) -> MessageStream:
    host, _, port = target.rpartition(":")
    nothing: Any = type(None)
    async with AsyncExitStack() as failing:
        channel = Channel(host.strip("[]"), int(port), ssl=context)
        failing.callback(channel.close)
        call = channel.request(_METHOD, Cardinality.STREAM_STREAM, nothing, nothing)
        await call.__aenter__()
        ending = call._wrapper = _Ending()
        await call.send_request()
        ending.stream = call._stream
        failing.pop_all()
    return _GrpcStream(channel, call._stream)


class _Ending(Wrapper):
    """Lets who reads come to the stream's end when it is reset or its connection lost.

    grpclib's own cancels the reading task, which looks like being told to stop.
    """

    stream: grpclib.protocol.Stream | None = None

    def cancel(self, error: Exception) -> None:
        super().cancel(error)
        if self.stream is not None:
            self.stream.buffer.eof()


class _GrpcStream:
    """A `MessageStream` over one call, which has a connection of its own."""

    def __init__(self, channel: Channel, stream: grpclib.protocol.Stream) -> None:
        self._channel = channel
        self._stream = stream
        stream._h2_connection.update_settings({SettingCodes.MAX_FRAME_SIZE: _FRAME_BYTES})
        stream.connection.flush()

    async def receive(self) -> ChaincodeMessage | None:
        try:
            prefix = await self._stream.recv_data(_PREFIX_BYTES)
            length = int.from_bytes(prefix[1:], "big")
            # Nothing was agreed on by which a message could be compressed.
            if not prefix or prefix[0] or length > _MOST_BYTES:
                return None
            return ChaincodeMessage.FromString(await self._stream.recv_data(length))
        except (AssertionError, DecodeError):
            # The first is what grpclib raises where a message breaks off.
            return None

    async def send(self, messages: Sequence[ChaincodeMessage]) -> None:
        parts: list[bytes] = []
        for message in messages:
            data = message.SerializeToString()
            parts += (b"\0" + len(data).to_bytes(4, "big"), data)
        try:
            await self._stream.send_data(b"".join(parts))
        except ProtocolError as error:
            raise ConnectionError("chaincode stream terminated") from error

    async def close(self) -> None:
        self._channel.close()
        # The transport closes in the loop's next turn.
        await asyncio.sleep(0)
