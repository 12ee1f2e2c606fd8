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
    """Serve contracts until ``stop`` is set; print one line when peers can connect.

    Args:
        contracts: instances of the contracts.
        settings: see ``Settings``.
        stop: set it to end cleanly; without one, only cancellation ends the service.

    Raises:
        ConfigurationError: the contracts or the settings cannot be used.
    """
    # gRPC is loaded by who serves only: contracts and their tests do without it.
    from fabric_shim.server import ChaincodeServer

    server = ChaincodeServer(Router(contracts), settings)
    await server.start()
    print(f"chaincode {settings.package_id} ready on {server.address}", flush=True)
    try:
        await (stop or asyncio.Event()).wait()
    finally:
        await server.stop()


def run(contracts: Sequence[Contract]) -> None:
    """Serve contracts as the environment says (``Settings.from_environment``) until SIGTERM or SIGINT.

    Exits with status 0 after a signal, and with 2 and one sentence on standard error where the environment or
    the contracts cannot be used.
    """
    os.environ.setdefault("GRPC_EXPERIMENTS", _GRPC_EXPERIMENTS)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        asyncio.run(_serve_until_signal(contracts, Settings.from_environment(os.environ)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


async def _serve_until_signal(contracts: Sequence[Contract], settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(contracts, settings, stop)
