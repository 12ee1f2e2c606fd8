"""Running a gate: HTTPS on one port, its address announced to the network's members, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pyarrow as pa

from consentry import https_serving
from consentry.gate.http_application import application
from consentry.gate.service import Gate
from consentry.https_serving import Certificate


def use_plain_memory() -> None:
    """Have Arrow take this process's memory from the C library.

    Its own pools give each block's pages back and fetch them anew: a quarter of a stream's time where the
    system is slow at that, as virtual machines are.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def serve(
    gate: Gate,
    host: str,
    port: int,
    certificate: Certificate,
    announce: Callable[[int], None],
    client_roots: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is called with the port once requests are taken.

    `client_roots` are the authorities of the TLS certificates that clients have to show (None: none).

    Raises:
        ConfigurationError: CANNOT_LISTEN, the port is taken.
    """
    asyncio.run(
        https_serving.serve_until_stopped(
            lambda stopping: listening(gate, host, port, certificate, stopping, client_roots), announce
        )
    )


@contextlib.asynccontextmanager
async def listening(
    gate: Gate,
    host: str,
    port: int,
    certificate: Certificate,
    stopping: asyncio.Event,
    client_roots: Path | None = None,
) -> AsyncIterator[int]:
    """Serve for as long as the block runs; yield the port. Leaving ends all deliveries and records them.

    Raises:
        ConfigurationError: CANNOT_LISTEN.
    """
    served = application(gate, stopping)
    async with https_serving.listening(
        served, host, port, certificate, stopping, client_roots=client_roots
    ) as actual:
        yield actual
    # Runs of functions belong to no connection: they are waited for apart.
    await served.state.attendance.ended()
