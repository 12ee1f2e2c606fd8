"""Serving ASGI applications beside gRPC in one event loop, with no signal handlers of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from fabric_operator.errors import NetworkError
from fabric_operator.private_files import KeyPair

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_POLL_SECONDS = 0.005
_GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    """A server that leaves signals to the process that it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


class WebServer:
    """One application on one port.

    Parameters:
        application: what is served.
        host: address to listen on.
        port: port to listen on.
        tls: certificate and key; None serves plain HTTP (for health checks on this machine).
    """

    def __init__(self, application: ASGIApp, host: str, port: int, tls: KeyPair | None) -> None:
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._server = _Server(config)
        self._address = f"{host}:{port}"
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            NetworkError: CANNOT_LISTEN.
        """
        self._task = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._task.done():
                raise NetworkError("CANNOT_LISTEN", f"cannot listen on {self._address}: the port is taken")
            await asyncio.sleep(_POLL_SECONDS)

    async def stop(self) -> None:
        """Finish the requests at hand and stop listening."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task

    async def _serve(self) -> None:
        # uvicorn leaves by SystemExit when it cannot listen, which would end the process without a word.
        with contextlib.suppress(SystemExit):
            await self._server.serve()
