"""Chaincode as a service: peers dial in, each on a stream of its own (``/protos.Chaincode/Connect``)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any, Final

import grpclib.server
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError

from fabric_shim.conversation import Conversation
from fabric_shim.errors import ConfigurationError, ConversationError
from fabric_shim.grpc_stream import CONFIGURATION, GrpcStream, take_large_frames
from fabric_shim.metrics import Metrics
from fabric_shim.router import Chaincode
from fabric_shim.settings import Settings
from fabric_shim.tls import service_context

_log = logging.getLogger("fabric_shim")

_METHOD: Final = "/protos.Chaincode/Connect"
_CLOSING_SECONDS: Final = 2.0


class ChaincodeServer:
    """Serves one chaincode to any number of peers.

    Args:
        chaincode: runs the transactions.
        settings: address, certificates and limits.
        metrics: what is counted; left out, counters of its own.
    """

    def __init__(self, chaincode: Chaincode, settings: Settings, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._serving = False
        self._chaincode = chaincode
        self._settings = settings
        self._conversations: dict[Conversation, GrpcStream] = {}
        self._server: grpclib.server.Server | None = None
        self.address = settings.address

    async def start(self) -> None:
        """Listen; afterwards ``address`` holds the port that was taken.

        Raises:
            ConfigurationError: the address is taken, or the key or the certificates cannot be used.
        """
        address, tls = self._settings.address, self._settings.tls
        host, _, port = address.rpartition(":")
        server = grpclib.server.Server([self], config=CONFIGURATION)
        try:
            context = None if tls is None else service_context(tls)
            if int(port):
                await server.start(host.strip("[]"), int(port), ssl=context)
            else:
                listening = _free_port(host.strip("[]"))
                await server.start(sock=listening, ssl=context)
                self.address = f"{host}:{listening.getsockname()[1]}"
        except (OSError, ValueError):
            raise ConfigurationError(
                f"cannot listen on {address}: it is taken, or the TLS key and certificate do not fit"
            ) from None
        self._server = server
        self._serving = True

    @property
    def trouble(self) -> str:
        """Why peers cannot run transactions now, ``""`` if they can."""
        return "" if self._serving else "the service is starting or stopping"

    async def stop(self) -> None:
        """Refuse new transactions, let the running ones end within the grace period, and close."""
        self._serving = False
        drains = [conversation.drain(self._settings.grace_seconds) for conversation in self._conversations]
        await asyncio.gather(*drains)
        if self._server is not None:
            for stream in self._conversations.values():
                stream.close()
            self._server.close()
            # A connection on which a peer has opened no stream may stay; the process does not.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), _CLOSING_SECONDS)

    def __mapping__(self) -> dict[str, Handler]:
        """What grpclib serves."""
        nothing: Any = type(None)
        return {_METHOD: Handler(self._connect, Cardinality.STREAM_STREAM, nothing, nothing)}

    async def _connect(self, call: grpclib.server.Stream[Any, Any]) -> None:
        await call.send_initial_metadata()
        take_large_frames(call._stream)
        stream = GrpcStream(call._stream)
        conversation = Conversation(
            stream,
            self._chaincode,
            package_id=self._settings.package_id,
            limits=self._settings.limits,
            metrics=self._metrics,
        )
        self._conversations[conversation] = stream
        try:
            await conversation.run()
        except ConversationError as error:
            _log.error("ended the stream of peer %s: %s", call.peer.addr(), error)
            raise GRPCError(Status.INVALID_ARGUMENT, str(error)) from None
        finally:
            del self._conversations[conversation]


def _free_port(host: str) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address, family=family)
