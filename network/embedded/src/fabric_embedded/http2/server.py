"""A gRPC server: connections, calls, and the handlers that answer them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from fabric_embedded.http2 import frames, header_blocks
from fabric_embedded.http2.budget import Budget
from fabric_embedded.http2.connection import Connection
from fabric_embedded.http2.frames import ErrorCode, Setting
from fabric_embedded.http2.header_blocks import Headers
from fabric_embedded.http2.messages import PREFIX_BYTES
from fabric_embedded.http2.stream import Stream

_MOST_STREAMS: Final = 10_000
_PREFACE_SECONDS: Final = 20.0
_BACKLOG: Final = 1024


class ServerCall(Stream):
    """A call, as its handler sees it.

    Attributes:
        path: "/service/method".
    """

    __slots__ = ("_answered", "_handler", "_task", "path")

    def __init__(self, connection: ServerConnection, number: int, path: str, handler: Handler) -> None:
        super().__init__(connection, number, connection.budget)
        self.path = path
        self._handler = handler
        self._answered = False
        self._task: asyncio.Task[None] | None = None

    async def receive(self) -> bytes | bytearray | None:
        """The next message; None after the last.

        Raises:
            MessageRefused: it cannot be received.
        """
        return await self.messages.receive()

    async def send(self, message: bytes) -> None:
        """Send one message of several; waits while the other side takes none."""
        if not self._is_closed:
            self._begin()
            self.post(_prefixed(message))
            if self._pending:
                await self.drained()

    def respond(self, message: bytes) -> None:
        """Send the one message, and end the call with success."""
        if not self._is_closed:
            self._begin()
            self.post(_prefixed(message), self._end(_SUCCESS))

    def end(self, status: int, message: str = "", fields: Iterable[tuple[str, bytes]] = ()) -> None:
        """End the call with gRPC's status code; after what was sent already has left."""
        if self._is_closed:
            return
        block = header_blocks.trailers(status, message) + header_blocks.metadata(fields)
        if not self._answered:
            block = header_blocks.RESPONSE + block
        if self._pending:
            self._closing = self._end(block)
        else:
            self.connection.write(self._end(block))
            self._finish()

    def on_first_message(self) -> None:
        """Now there is something to do."""
        if not self._is_closed:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def on_reset(self) -> None:
        """Nobody waits for an answer any more."""
        if self._task is not None:
            self._task.cancel()
        self._finish()

    async def _run(self) -> None:
        try:
            await self._handler(self)
        finally:
            # Its memory is free although the answer may still be on its way.
            self.messages.close()

    def _begin(self) -> None:
        if not self._answered:
            self._answered = True
            self.connection.write(
                frames.frame(frames.HEADERS, frames.END_HEADERS, self.number, header_blocks.RESPONSE)
            )

    def _end(self, block: bytes) -> bytes:
        flags = frames.END_HEADERS | frames.END_STREAM
        closing = frames.frame(frames.HEADERS, flags, self.number, block)
        if not self.messages.has_ended:
            # What the client still wants to send is not wanted (RFC 9113 §8.1).
            closing += frames.reset(self.number, ErrorCode.NO_ERROR)
        return closing


Handler = Callable[[ServerCall], Awaitable[None]]
"""Answers a call, and ends it; must not raise."""

_SUCCESS: Final = header_blocks.trailers(0)


class ServerConnection(Connection):
    """A client's connection.

    Attributes:
        lost: set once it is closed.

    Parameters:
        find: the handler of a path.
        budget: for large messages.
        connections: those that are open; this one keeps itself in it.
    """

    preface = frames.PREFACE
    counts_pings = True

    def __init__(
        self, find: Callable[[str], Handler], budget: Budget, connections: set[ServerConnection]
    ) -> None:
        super().__init__()
        self.budget = budget
        self._find = find
        self._connections = connections
        self.lost = asyncio.Event()
        self._is_leaving = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self._connections.add(self)
        self._patience = self._loop.call_later(_PREFACE_SECONDS, self._check_preface)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._connections.discard(self)
        self.lost.set()
        if self._patience is not None:
            self._patience.cancel()

    def settings(self) -> dict[int, int]:
        """What this side tells of itself."""
        return {**super().settings(), Setting.MAX_CONCURRENT_STREAMS: _MOST_STREAMS}

    def opened(self, number: int, headers: Headers) -> Stream | None:
        """A call begins."""
        path = headers.get(":path", "")
        is_grpc = headers.get("content-type", "").startswith("application/grpc")
        if number % 2 == 0 or not is_grpc or headers.get(":method") != "POST":
            self.write(frames.reset(number, ErrorCode.PROTOCOL_ERROR))
            return None
        if self._is_leaving or len(self.streams) >= _MOST_STREAMS:
            self.write(frames.reset(number, ErrorCode.REFUSED_STREAM))
            return None
        call = self.streams[number] = ServerCall(self, number, path, self._find(path))
        return call

    def leave(self) -> None:
        """Begin no call any more; hang up once those that there are have ended."""
        self._is_leaving = True
        self.write(frames.goaway(self.last_stream, ErrorCode.NO_ERROR))
        self._close_if_idle()

    def forget(self, stream: Stream) -> None:
        """A call has ended."""
        super().forget(stream)
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._is_leaving and not self.streams and self._transport is not None:
            self.flush()
            self._transport.close()

    def _check_preface(self) -> None:
        if self._awaited:
            self.close(ErrorCode.PROTOCOL_ERROR, "no HTTP/2 preface")


class GrpcServer:
    """Listens on one port.

    Parameters:
        handlers: by path.
        otherwise: answers calls of any other path.
        budget: for large messages, shared with other servers.
    """

    def __init__(self, handlers: Mapping[str, Handler], otherwise: Handler, budget: Budget) -> None:
        self._handlers = dict(handlers)
        self._otherwise = otherwise
        self._budget = budget
        self._connections: set[ServerConnection] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the server does not listen")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """Listen; without a context in plain text.

        Raises:
            OSError: nobody can listen there.
        """
        self._server = await asyncio.get_running_loop().create_server(
            self._connection, host, port, ssl=context, backlog=_BACKLOG
        )

    async def stop(self, grace: float) -> None:
        """Take no connection and no call any more, and give those that there are so many seconds."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await asyncio.gather(*(connection.lost.wait() for connection in self._connections))
        for connection in list(self._connections):
            connection.close()
        await asyncio.sleep(0)

    def _connection(self) -> ServerConnection:
        return ServerConnection(self._find, self._budget, self._connections)

    def _find(self, path: str) -> Handler:
        return self._handlers.get(path, self._otherwise)


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS of a server: its certificate and key, in files.

    Raises:
        OSError: they cannot be used (ssl.SSLError).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(certificate, key)
    return context


def _prefixed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(PREFIX_BYTES - 1, "big") + message
