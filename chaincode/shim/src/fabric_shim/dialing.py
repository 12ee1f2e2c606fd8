"""Chaincode that a peer launched: it dials the peer (``/protos.ChaincodeSupport/Register``)."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

import grpc
import grpc.aio

from fabric_shim.conversation import Conversation, State
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
    # What the official runtimes send; peers refuse pings that come oftener than once a minute.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


class _CallStream:
    """A call's two directions as ``Stream``."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def receive(self) -> Any | None:
        try:
            data = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise ConversationError(f"the stream ended: {error.code().name}") from None
        return None if data is grpc.aio.EOF else parse_message(data)

    async def send(self, message: Any) -> None:
        try:
            await self._call.write(message.SerializeToString())
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            raise ConversationError("the stream ended while a message was sent") from None


class PeerConnection:
    """Registers one chaincode with one peer, and again when the stream is lost.

    Args:
        chaincode: runs the transactions.
        settings: the peer's address, certificates and limits.
        metrics: what is counted; left out, counters of its own.

    Attributes:
        address: of the peer.
        lost: set when the peer could not be reached for ``settings.reconnect_seconds``.
    """

    def __init__(self, chaincode: Chaincode, settings: Settings, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self.address = settings.address
        self.lost = asyncio.Event()
        self._chaincode = chaincode
        self._settings = settings
        self._conversation: Conversation | None = None
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Dial; return when the peer has taken the registration.

        Raises:
            ConfigurationError: it has not within ``settings.reconnect_seconds``, or the TLS files do not fit.
        """
        self._task = asyncio.create_task(self._stay_connected(self._credentials()))
        waiting = [asyncio.create_task(event.wait()) for event in (self._ready, self.lost)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if not self._ready.is_set():
            await self.stop()
            raise ConfigurationError(
                f"the peer at {self.address} did not register {self._settings.package_id}; "
                "the log says why; check the address, the TLS files and the package id"
            )

    @property
    def trouble(self) -> str:
        """Why the peer cannot run transactions now, ``""`` if it can."""
        registered = self._conversation is not None and self._conversation.state is State.READY
        return "" if registered else f"not registered with the peer at {self.address}"

    async def stop(self) -> None:
        """Refuse new transactions, let the running ones end within the grace period, and hang up."""
        if self._conversation is not None:
            await self._conversation.drain(self._settings.grace_seconds)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _credentials(self) -> Any | None:
        tls = self._settings.peer_tls
        if tls is None:
            return None
        return grpc.ssl_channel_credentials(tls.root_certificates, tls.key, tls.certificate)

    async def _stay_connected(self, credentials: Any | None) -> None:
        pause, since = _FIRST_PAUSE_SECONDS, time.monotonic()
        try:
            while time.monotonic() - since < self._settings.reconnect_seconds:
                if await self._converse(credentials):
                    pause, since = _FIRST_PAUSE_SECONDS, time.monotonic()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        finally:
            self.lost.set()

    async def _converse(self, credentials: Any | None) -> bool:
        """Talk until the stream ends; whether the peer had taken the registration."""
        async with self._channel(credentials) as channel:
            call = channel.stream_stream("/protos.ChaincodeSupport/Register")()
            conversation = self._conversation = Conversation(
                _CallStream(call),
                self._chaincode,
                package_id=self._settings.package_id,
                limits=self._settings.limits,
                when_ready=self._ready.set,
                metrics=self._metrics,
            )
            try:
                await conversation.run()
                _log.warning("the peer at %s closed the stream", self.address)
            except ConversationError as error:
                _log.warning("lost the stream to the peer at %s: %s", self.address, error)
            finally:
                self._conversation = None
                call.cancel()
            return conversation.state is State.READY

    def _channel(self, credentials: Any | None) -> Any:
        if credentials is None:
            return grpc.aio.insecure_channel(self.address, options=_OPTIONS)
        return grpc.aio.secure_channel(self.address, credentials, options=_OPTIONS)
