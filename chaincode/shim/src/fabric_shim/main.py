"""The main program of a chaincode process: ``run([Consents(), …])``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from fabric_shim.contract import Contract
from fabric_shim.errors import ConfigurationError
from fabric_shim.router import Router
from fabric_shim.settings import Settings

# gRPC's older event loop hands a message from thread to thread less often: a fifth less CPU per transaction,
# measured with grpcio 1.85. It is chosen when gRPC is loaded; a version that has only one ignores the choice.
_GRPC_EXPERIMENTS: Final = "-event_engine_listener,-event_engine_client"


async def serve(contracts: Sequence[Contract], settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Serve contracts until ``stop`` is set; print one line when transactions can come.

    Args:
        contracts: instances of the contracts.
        settings: see ``Settings``.
        stop: set it to end cleanly; without one, only cancellation ends the service.

    Raises:
        ConfigurationError: the contracts or the settings cannot be used.
    """
    if settings.dials:
        await _dial(contracts, settings, stop or asyncio.Event())
        return
    # gRPC is loaded by who serves only: contracts and their tests do without it.
    from fabric_shim.server import ChaincodeServer

    server = ChaincodeServer(Router(contracts), settings)
    await server.start()
    print(f"chaincode {settings.package_id} ready on {server.address}", flush=True)
    try:
        await (stop or asyncio.Event()).wait()
    finally:
        await server.stop()


async def _dial(contracts: Sequence[Contract], settings: Settings, stop: asyncio.Event) -> None:
    from fabric_shim.dialing import PeerConnection

    connection = PeerConnection(Router(contracts), settings)
    await connection.start()
    print(f"chaincode {settings.package_id} registered with {connection.address}", flush=True)
    waiting = [asyncio.create_task(event.wait()) for event in (stop, connection.lost)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await connection.stop()
    if not stop.is_set():
        raise ConfigurationError(f"the peer at {connection.address} cannot be reached any more")


def run(contracts: Sequence[Contract]) -> None:
    """Serve contracts as environment and arguments say (``Settings.from_environment``) until SIGTERM, SIGINT.

    Exits with status 0 after a signal, and with 2 and one sentence on standard error where the environment or
    the contracts cannot be used.
    """
    os.environ.setdefault("GRPC_EXPERIMENTS", _GRPC_EXPERIMENTS)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        asyncio.run(_serve_until_signal(contracts, Settings.from_environment(os.environ, sys.argv[1:])))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


async def _serve_until_signal(contracts: Sequence[Contract], settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(contracts, settings, stop)
