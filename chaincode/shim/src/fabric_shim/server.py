"""Chaincode as a service: peers dial in, each on a stream of its own (``/protos.Chaincode/Connect``)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import grpc
import grpc.aio

from fabric_shim.conversation import Conversation
from fabric_shim.errors import ConfigurationError, ConversationError
from fabric_shim.messages import parse_message
from fabric_shim.metrics import Metrics
from fabric_shim.router import Chaincode
from fabric_shim.settings import Settings

_log = logging.getLogger("fabric_shim")

_MOST_MESSAGE_BYTES: Final = 100 * 2**20
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MOST_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MOST_MESSAGE_BYTES),
    # Peers ping idle chaincode streams every minute; gRPC's own rules would hang up on them for that.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    # Two services on one port would share its connections by chance.
    ("grpc.so_reuseport", 0),
)


class _GrpcStream:
    """A peer's stream as ``Stream``: messages cross gRPC as bytes, so that bad ones are ours to refuse."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def receive(self) -> Any | None:
        data = await self._context.read()
        return None if data is grpc.aio.EOF else parse_message(data)

    async def send(self, message: Any) -> None:
        await self._context.write(message.SerializeToString())


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
        self._conversations: set[Conversation] = set()
        self._server: Any = None
        self.address = settings.address

    async def start(self) -> None:
        """Listen; afterwards ``address`` holds the port that was taken.

        Raises:
            ConfigurationError: the address is taken, or the key or the certificates cannot be used.
        """
        self._server = grpc.aio.server(options=_OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(self._connect)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": handler}),)
        )
        host = self._settings.address.rpartition(":")[0]
        self.address = f"{host}:{self._listen()}"
        await self._server.start()
        self._serving = True

    @property
    def trouble(self) -> str:
        """Why peers cannot run transactions now, ``""`` if they can."""
        return "" if self._serving else "the service is starting or stopping"

    def _listen(self) -> int:
        address, tls = self._settings.address, self._settings.tls
        try:
            if tls is None:
                return int(self._server.add_insecure_port(address))
            credentials = grpc.ssl_server_credentials(
                [(tls.key, tls.certificate)],
                root_certificates=tls.client_authorities,
                require_client_auth=tls.client_authorities is not None,
            )
            return int(self._server.add_secure_port(address, credentials))
        except (RuntimeError, ValueError):
            raise ConfigurationError(
                f"cannot listen on {address}: it is taken, or the TLS key and certificate do not fit"
            ) from None

    async def stop(self) -> None:
        """Refuse new transactions, let the running ones end within the grace period, and close."""
        self._serving = False
        drains = [conversation.drain(self._settings.grace_seconds) for conversation in self._conversations]
        await asyncio.gather(*drains)
        if self._server is not None:
            await self._server.stop(0)

    async def _connect(self, _: Any, context: Any) -> None:
        conversation = Conversation(
            _GrpcStream(context),
            self._chaincode,
            package_id=self._settings.package_id,
            limits=self._settings.limits,
            metrics=self._metrics,
        )
        self._conversations.add(conversation)
        try:
            await conversation.run()
        except ConversationError as error:
            _log.error("ended the stream of peer %s: %s", context.peer(), error)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        finally:
            self._conversations.discard(conversation)
