"""The hospitals' data gates: rows leave their hospital through them, and what leaves is on record."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack

import pandas as pd

from consentry.demo.cast import Cast
from consentry.demo.data import HOSPITALS
from consentry.gate.address import GateAddress
from consentry.gate.compute.isolation import Isolation
from consentry.gate.places import GatePlaces
from consentry.gate.service import Gate
from consentry.gate.serving import listening
from consentry.https_serving import self_signed
from consentry.ledger import Ledger, connect
from fabric_gateway import utc_clock

_HOST = "127.0.0.1"


class Gates:
    """A gate a hospital, all in a thread of this process, open while their rows are asked for.

    They begin in the background, when the hospitals have registered their rows: nobody waits for them before
    he needs one. `close` ends them and takes their addresses away.
    """

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._thread = threading.Thread(target=self._run, name="demo-gates", daemon=True)
        self._ready: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self.isolation = Isolation(most=len(HOSPITALS))

    def start(self) -> None:
        """Begin to put the rows into the gates and to serve them."""
        self._thread.start()

    def ready(self) -> None:
        """Wait until every gate serves; raises what kept one from it."""
        self._ready.result()

    def close(self) -> None:
        """Stop the gates."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        # Whether functions can be isolated is found out meanwhile.
        proving = asyncio.create_task(asyncio.to_thread(self.isolation.in_words))
        async with AsyncExitStack() as opened:
            for name in self._cast.versions:
                service = opened.enter_context(connect(self._cast.directory, f"{name}/service"))
                await self._open(opened, name, service)
            self._ready.set_result(None)
            await self._stopping.wait()
            await proving

    async def _open(self, opened: AsyncExitStack, name: str, service: Ledger) -> None:
        places = GatePlaces.of(service.profile, name)
        await asyncio.to_thread(self._put, name, places)
        gate = Gate(service, places, utc_clock, isolation=self.isolation)
        opened.callback(gate.close)
        gate.start()
        certificate = self_signed(places.custody, _HOST, "consentry gate")
        serving = listening(gate, _HOST, 0, certificate, self._stopping)
        port = await opened.enter_async_context(serving)
        address = GateAddress(f"https://{_HOST}:{port}", certificate.roots.read_text(encoding="ascii"))
        opened.callback(address.write(service.profile, name).unlink)

    def _put(self, name: str, places: GatePlaces) -> None:
        """Put a hospital's rows into its gate, each proved to be the registered one."""
        datasets, version = self._cast.ledger(f"{name}/steward").datasets, self._cast.versions[name]
        rows = datasets.registered_rows(version.version_id)
        secret = datasets.secret(version.name).secret
        places.store().put(version, [self._cast.hospitals[name].rows], rows, secret)


def received(ledger: Ledger, attempts: dict[str, str], cast: Cast, purpose: str) -> dict[str, pd.DataFrame]:
    """Each hospital's rows as its gate lets them out under an attempt, checked on arrival, by hospital."""

    def rows(name: str) -> pd.DataFrame:
        version_id = cast.versions[name].version_id
        with ledger.data.open(version_id, purpose=purpose, attempt_id=attempts[name]) as stream:
            return stream.frame()

    with ThreadPoolExecutor(len(attempts)) as pool:
        return dict(zip(attempts, pool.map(rows, attempts), strict=True))
