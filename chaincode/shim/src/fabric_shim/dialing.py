"""Chaincode that a peer launched: it dials the peer (``/protos.ChaincodeSupport/Register``)."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from typing import Any, Final

from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from h2.exceptions import H2Error

from fabric_shim.conversation import Conversation, State
from fabric_shim.errors import ConfigurationError, ConversationError
from fabric_shim.grpc_stream import CONFIGURATION, GrpcStream, take_large_frames
from fabric_shim.metrics import Metrics
from fabric_shim.router import Chaincode
from fabric_shim.settings import Settings
from fabric_shim.tls import peer_context

_log = logging.getLogger("fabric_shim")

_METHOD: Final = "/protos.ChaincodeSupport/Register"
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


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
        self._task = asyncio.create_task(self._stay_connected(self._context()))
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

    def _context(self) -> ssl.SSLContext | None:
        tls = self._settings.peer_tls
        try:
            return None if tls is None else peer_context(tls)
        except (ssl.SSLError, ValueError):
            raise ConfigurationError(
                "CORE_PEER_TLS_ROOTCERT_FILE or the client key and certificate cannot be used for TLS"
            ) from None

    async def _stay_connected(self, context: ssl.SSLContext | None) -> None:
        pause, since = _FIRST_PAUSE_SECONDS, time.monotonic()
        try:
            while time.monotonic() - since < self._settings.reconnect_seconds:
                if await self._converse(context):
                    pause, since = _FIRST_PAUSE_SECONDS, time.monotonic()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        finally:
            self.lost.set()

    async def _converse(self, context: ssl.SSLContext | None) -> bool:
        """Talk until the stream ends; whether the peer had taken the registration."""
        host, _, port = self.address.rpartition(":")
        channel = Channel(host.strip("[]"), int(port), ssl=context, config=CONFIGURATION)
        nothing: Any = type(None)
        try:
            async with (
                channel,
                channel.request(_METHOD, Cardinality.STREAM_STREAM, nothing, nothing) as call,
            ):
                await call.send_request()
                take_large_frames(call._stream)
                # What ends the conversation when the connection is lost.
                with call._wrapper:
                    await self._talk(GrpcStream(call._stream))
                # Only then grpclib tells the status with which the peer ended the stream.
                await call.end()
            _log.warning("the peer at %s closed the stream", self.address)
        except GRPCError as error:
            _log.warning("the peer at %s ended the stream: %s", self.address, error.status.name)
        except (ConversationError, StreamTerminatedError, ProtocolError, H2Error, OSError) as error:
            _log.warning("lost the stream to the peer at %s: %s", self.address, error)
        finally:
            conversation, self._conversation = self._conversation, None
        return conversation is not None and conversation.state is State.READY

    async def _talk(self, stream: GrpcStream) -> None:
        self._conversation = Conversation(
            stream,
            self._chaincode,
            package_id=self._settings.package_id,
            limits=self._settings.limits,
            when_ready=self._ready.set,
            metrics=self._metrics,
        )
        await self._conversation.run()
