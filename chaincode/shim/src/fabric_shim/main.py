"""The main program of a chaincode process: ``run([Consents(), …])``."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fabric_shim.contract import Contract
from fabric_shim.errors import ConfigurationError
from fabric_shim.logs import configure_logging, log_loop_error
from fabric_shim.metrics import Metrics
from fabric_shim.operations import Operations
from fabric_shim.router import Router
from fabric_shim.settings import Settings

if TYPE_CHECKING:
    from fabric_shim.dialing import PeerConnection
    from fabric_shim.server import ChaincodeServer


async def serve(contracts: Sequence[Contract], settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Serve contracts until ``stop`` is set; print one line when transactions can come.

    Args:
        contracts: instances of the contracts.
        settings: see ``Settings``.
        stop: set it to end cleanly; without one, only cancellation ends the service.

    Raises:
        ConfigurationError: the contracts or the settings cannot be used.
    """
    # gRPC is loaded by who serves only: contracts and their tests do without it.
    from fabric_shim.dialing import PeerConnection
    from fabric_shim.server import ChaincodeServer

    metrics, stop = Metrics(), stop or asyncio.Event()
    router = Router(contracts)
    make = PeerConnection if settings.dials else ChaincodeServer
    service: PeerConnection | ChaincodeServer = make(router, settings, metrics)
    async with _operations(settings, metrics, service):
        await service.start()
        relation = "registered with" if settings.dials else "ready on"
        print(f"chaincode {settings.package_id} {relation} {service.address}", flush=True)
        try:
            await _first([stop, service.lost] if isinstance(service, PeerConnection) else [stop])
        finally:
            await service.stop()
    if not stop.is_set():
        raise ConfigurationError(f"the peer at {service.address} cannot be reached any more")


async def _first(events: Sequence[asyncio.Event]) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


@asynccontextmanager
async def _operations(
    settings: Settings, metrics: Metrics, service: PeerConnection | ChaincodeServer
) -> AsyncIterator[None]:
    if settings.operations_address is None:
        yield
        return
    operations = Operations(settings.operations_address, metrics, lambda: service.trouble)
    await operations.start()
    print(f"chaincode {settings.package_id} operations on {operations.address}", flush=True)
    try:
        yield
    finally:
        await operations.stop()


def run(contracts: Sequence[Contract]) -> None:
    """Serve contracts as environment and arguments say (``Settings.from_environment``) until SIGTERM, SIGINT.

    Exits with status 0 after a signal, and with 2 and one sentence on standard error where the environment or
    the contracts cannot be used.
    """
    try:
        configure_logging(os.environ)
        _spare_garbage_collection()
        asyncio.run(_serve_until_signal(contracts, Settings.from_environment(os.environ, sys.argv[1:])))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def _spare_garbage_collection() -> None:
    """Leave out what lives as long as the process; messages die by themselves, before they are looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _serve_until_signal(contracts: Sequence[Contract], settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_error)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(contracts, settings, stop)
