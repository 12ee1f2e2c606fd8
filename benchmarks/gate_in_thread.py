"""A gate in a thread of this process, which tells when a decision of its own was committed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consentry.gate.address import GateAddress
from consentry.gate.places import GatePlaces
from consentry.gate.service import Gate
from consentry.gate.serving import listening
from consentry.https_serving import Certificate, self_signed
from consentry.ledger import connect
from fabric_gateway import utc_clock

_HOST = "127.0.0.1"
_START_SECONDS = 30.0


@contextmanager
def gate_in_thread(directory: Path, organization: str) -> Iterator[list[float]]:
    """Serve the organization's data for as long as the block runs; yield when its decisions were committed.

    The times are `time.perf_counter`'s. A decision that the custodian's decision service made first has none.
    """
    committed: list[float] = []
    with connect(directory, f"{organization}/service", environment={}) as ledger:
        transactions: Any = ledger.transactions
        submit = transactions.submit

        def noted(function: str, *arguments: Any, **options: Any) -> bytes:
            result: bytes = submit(function, *arguments, **options)
            if function == "access:decide":
                committed.append(time.perf_counter())
            return result

        transactions.submit = noted
        places = GatePlaces.of(ledger.profile, organization)
        gate = Gate(ledger, places, utc_clock)
        gate.start()
        certificate = self_signed(places.custody, _HOST, "consentry gate")
        try:
            with _served(gate, certificate) as port:
                address = GateAddress(f"https://{_HOST}:{port}", certificate.roots.read_text("ascii"))
                address.write(ledger.profile, organization)
                yield committed
        finally:
            gate.close()


@contextmanager
def _served(gate: Gate, certificate: Certificate) -> Iterator[int]:
    loop, stopping, ports = asyncio.new_event_loop(), asyncio.Event(), list[int]()
    up = threading.Event()

    async def serve() -> None:
        async with listening(gate, _HOST, 0, certificate, stopping) as port:
            ports.append(port)
            up.set()
            await stopping.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        if not up.wait(_START_SECONDS):
            raise RuntimeError("the gate did not start")
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(_START_SECONDS)
        loop.close()
