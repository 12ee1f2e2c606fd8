"""What the conversation with a chaincode service needs of a stream, and gRPC below it, plain or with TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError

from fabric_embedded.chaincode.tls import client_context
from fabric_embedded.http2.client import ClientCall
from fabric_embedded.http2.client import dial as http2_dial

_METHOD = "/protos.Chaincode/Connect"


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
    return _GrpcStream(await http2_dial(host.strip("[]"), int(port), _METHOD, context))


class _GrpcStream:
    """A `MessageStream` over one call, which has a connection of its own."""

    def __init__(self, call: ClientCall) -> None:
        self._call = call

    async def receive(self) -> ChaincodeMessage | None:
        data = await self._call.receive()
        try:
            return None if data is None else ChaincodeMessage.FromString(data)
        except DecodeError:
            return None

    async def send(self, messages: Sequence[ChaincodeMessage]) -> None:
        await self._call.send([message.SerializeToString() for message in messages])

    async def close(self) -> None:
        self._call.connection.close()
        # The transport closes in the loop's next turn.
        await asyncio.sleep(0)
