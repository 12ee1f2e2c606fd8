"""How soon a gate's first verified rows are there, and how soon a revoked stream stops, on both engines.

Alone: ``python -m benchmarks.gate_on_networks``; real Fabric is measured where its binaries are found.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from benchmarks.gate_in_thread import gate_in_thread
from benchmarks.results import Measurement
from consentry.data import DeliveryStopped
from consentry.demo.data import load_hospitals
from consentry.gate.address import GateAddress
from consentry.gate.places import GatePlaces
from consentry.ledger import Ledger, connect
from consentry.network import bring_up, enroll_user, take_down
from consentry.network.engines import load_network
from fabric_native import BinariesNotFoundError, find_binaries

ATTEMPTS = 7
_PURPOSE = "DUO:0000006"
_COPIES = 400
_WAIT_SECONDS = 60.0
_READ_SECONDS = 0.1


def measure(directory: Path) -> Iterator[Measurement]:
    """Measure on the embedded engine, then on real Fabric, or say that its binaries are not there."""
    yield from _on(directory / "embedded", "embedded")
    try:
        find_binaries()
    except BinariesNotFoundError as error:
        print(f"a gate on real Fabric: not run; {error}")
        return
    yield from _on(directory / "fabric", "fabric")


def _on(directory: Path, engine: str) -> Iterator[Measurement]:
    bring_up(directory, "consortium", engine=engine)
    try:
        # The gate decides itself: what a decision service came before it with has no measured commit.
        load_network(directory).stop_process("decide-northgate")
        people = {
            role: enroll_user(directory, organization, role, [role])
            for organization, role in (("northgate", "steward"), ("riverside", "researcher"))
        }
        with (
            connect(directory, people["steward"]) as steward,
            connect(directory, people["researcher"]) as researcher,
        ):
            version = _registered(steward)
            with gate_in_thread(directory, "northgate") as committed:
                yield _first_rows(steward, researcher, version, committed, engine)
            with _gate(directory):
                yield _revoked(steward, researcher, version, engine)
    finally:
        take_down(directory)


def _registered(steward: Ledger) -> str:
    """A version that the gate holds."""
    hospital = load_hospitals(1, datetime.now(UTC))[0]
    steward.consents.import_frame(hospital.consents)
    frame = pd.concat([hospital.rows] * _COPIES, ignore_index=True)
    made = steward.datasets.register_frame(
        frame, name="cells", categories=["imaging"], legal_bases=["GDPR-9-2-j"], duo_terms=[_PURPOSE]
    )
    rows = steward.datasets.registered_rows(made.version_id)
    store = GatePlaces.of(steward.profile, "northgate").store()
    store.put(made, [frame], rows, steward.datasets.secret("cells").secret)
    return made.version_id


@contextmanager
def _gate(directory: Path) -> Iterator[None]:
    """A gate as a process of its own."""
    command = [sys.executable, "-m", "consentry", "--network", str(directory), "--as", "northgate/service"]
    with connect(directory, "northgate/service", environment={}) as ledger:
        address = GateAddress.file(ledger.profile, "northgate")
    address.unlink(missing_ok=True)
    process = subprocess.Popen([*command, "gate", "serve"])  # noqa: S603 - this very program
    try:
        _until(lambda: address.exists() or process.poll() is not None, "the gate starts")
        yield
    finally:
        process.terminate()
        process.wait(_WAIT_SECONDS)


def _until(condition: Callable[[], object], what: str) -> None:
    """Wait for something; a benchmark that waits in vain says for what."""
    end = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {_WAIT_SECONDS:.0f} s in vain: {what}")
        time.sleep(0.01)


def _granted(steward: Ledger, researcher: Ledger, version: str) -> str:
    request = researcher.grants.request([version], purposes=[_PURPOSE], duration=timedelta(days=1))
    return steward.grants.grant(
        request.request_id, versions=[version], purposes=[_PURPOSE], duration=timedelta(days=1)
    ).grant_id


def _first_rows(
    steward: Ledger, researcher: Ledger, version: str, committed: list[float], engine: str
) -> Measurement:
    """The median over some attempts of the time from the decision's commit to the first verified rows."""
    _granted(steward, researcher, version)
    more: list[float] = []
    for _ in range(ATTEMPTS):
        committed.clear()
        with researcher.data.open(version, purpose=_PURPOSE) as stream:
            next(stream.batches())
            arrived = time.perf_counter()
        (at,) = committed
        more.append(arrived - at)
        _until(
            lambda: researcher.transactions.evaluate("deliveries:of_attempt", stream.attempt_id),
            "a delivery is on record",
        )
    shown = ", ".join(f"{seconds * 1000:.0f}" for seconds in sorted(more))
    print(f"first verified rows, {engine}: {shown} ms after the commit", flush=True)
    what = f"gate: first verified rows after the decision's commit, {engine}"
    return Measurement(what, sorted(more)[ATTEMPTS // 2] * 1000, "ms", 50, False)


def _revoked(steward: Ledger, researcher: Ledger, version: str, engine: str) -> Measurement:
    """The stream is read as slowly as a batch a tenth of a second, so that it is under way."""
    grant = _granted(steward, researcher, version)
    with researcher.data.open(version, purpose=_PURPOSE) as stream:
        batches = stream.batches()
        next(batches)
        steward.grants.revoke(grant)
        start = time.perf_counter()
        try:
            for _ in batches:
                time.sleep(_READ_SECONDS)
            raise RuntimeError("the stream was over before it was stopped: nothing was measured")
        except DeliveryStopped:
            seconds = time.perf_counter() - start
    return Measurement(f"gate: a revoked stream goes on for, {engine}", seconds, "s", 3, False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place)):
            verdict = "reached" if measurement.holds else "missed"
            print(
                f"{measurement.what}: {measurement.measured:,.2f} {measurement.unit}; {verdict}", flush=True
            )
