"""Chaincode runtimes on a whole engine with a real client: rates and latency, interleaved.

Each runtime has a network of its own, all alike; two organizations endorse, mutual TLS to the chaincode.
Where Fabric's binaries are found, on real peers too. Alone: ``python -m benchmarks.runtimes_on_engines``.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clients import enrolled_gateway
from benchmarks.null_peer import VALUE
from benchmarks.results import Measurement
from benchmarks.runtimes import GO, NODE, OURS, Runtime, runtimes
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Contract
from fabric_native import BinariesNotFoundError, NativeNetwork, find_binaries
from fabric_protocol.topology import ChaincodeDefinition, Organization, Topology

ROUNDS = 5
_TEXT = VALUE.decode()
_ORGANIZATIONS = (
    Organization("alpha", "AlphaMSP", "hospital"),
    Organization("beta", "BetaMSP", "hospital"),
)


@dataclass(frozen=True)
class Shape:
    """A kind of transaction.

    Attributes:
        function: of the contract.
        submitted: or evaluated.
        count: calls a round.
        in_flight: calls at once.
        bars: least rate of ours, in times another runtime's.
    """

    function: str
    submitted: bool
    count: int
    in_flight: int
    bars: dict[str, float]


_EMBEDDED, _REAL = "embedded engine", "real peers"
SHAPES = (
    Shape("put", True, 200, 50, {GO: 0.95}),
    Shape("get", False, 400, 50, {NODE: 1.0, GO: 0.90}),
    Shape("domain", True, 100, 50, {NODE: 1.5}),
    Shape("write_many", True, 4, 2, {NODE: 5.0}),
    Shape("read_many", False, 8, 2, {NODE: 3.0}),
)
_ALONE = Shape("get", False, 60, 1, {NODE: 1.0})


def measure(directory: Path) -> Iterator[Measurement]:
    """Measure on every engine that is here."""
    found = runtimes()
    yield from _on(_EMBEDDED, EmbeddedNetwork, found, directory / "embedded")
    try:
        find_binaries()
    except BinariesNotFoundError as error:
        print(f"runtimes on real peers: not run; {error}")
        return
    yield from _on(_REAL, NativeNetwork, found, directory / "native")


def _on(engine: str, kind: Any, found: list[Runtime], directory: Path) -> Iterator[Measurement]:
    with contextlib.ExitStack() as stack:
        contracts = {
            runtime.name: stack.enter_context(_network(kind, directory / runtime.name, runtime))
            for runtime in found
        }
        for shape in SHAPES:
            rates = _interleaved(contracts, partial(_rate, shape=shape))
            # The bars beside Go are for real peers.
            bars = {name: bar for name, bar in shape.bars.items() if name != GO or engine == _REAL}
            yield from _compared(f"{engine}, {shape.function}", rates, bars, "rate")
        speeds = _interleaved(contracts, lambda call: 1 / _latency(call))
        yield from _compared(f"{engine}, {_ALONE.function} alone", speeds, _ALONE.bars, "latency (p50)")


@contextlib.contextmanager
def _network(kind: Any, directory: Path, runtime: Runtime) -> Iterator[Contract]:
    chaincode = ChaincodeDefinition(
        name="values", policy="OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')", command=runtime.command
    )
    network = kind.create(directory, Topology("bench", _ORGANIZATIONS, chaincode))
    try:
        network.up()
        with enrolled_gateway(network, "alpha") as gateway:
            yield gateway.network("bench").contract("values")
    finally:
        network.down()


_numbers = itertools.count()
_Call = Callable[[Shape], object]


def _call(contract: Contract) -> _Call:
    def call(shape: Shape) -> object:
        # Keys of its own for each call: none conflicts with another.
        key = f"{next(_numbers):08}-"
        arguments = (key,) if shape.function in ("get", "read_many") else (key, _TEXT)
        make = contract.submit if shape.submitted else contract.evaluate
        return make(f"bench:{shape.function}", *arguments)

    return call


def _rate(call: _Call, shape: Shape) -> float:
    with ThreadPoolExecutor(shape.in_flight) as pool:
        began = time.perf_counter()
        for _ in pool.map(call, itertools.repeat(shape, shape.count)):
            pass
        return shape.count / (time.perf_counter() - began)


def _latency(call: _Call) -> float:
    found = []
    for _ in range(_ALONE.count):
        began = time.perf_counter()
        call(_ALONE)
        found.append(time.perf_counter() - began)
    return median(found)


def _interleaved(contracts: dict[str, Contract], round_of: Callable[[_Call], float]) -> dict[str, float]:
    """Median of the rounds, by runtime."""
    found: dict[str, list[float]] = {name: [] for name in contracts}
    for turn in range(ROUNDS + 1):
        for name, contract in contracts.items():
            measured = round_of(_call(contract))
            # The first turn warms caches and compilers up.
            if turn:
                found[name].append(measured)
    return {name: median(values) for name, values in found.items()}


def _compared(
    what: str, speeds: dict[str, float], bars: dict[str, float], unit: str
) -> Iterator[Measurement]:
    print(f"{what}: {', '.join(f'{name} {speed:,.1f}/s' for name, speed in speeds.items())}")
    for other, speed in speeds.items():
        if other in bars:
            yield Measurement(f"{what}, ours / {other}'s {unit}", speeds[OURS] / speed, "×", bars[other])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place)):
            print(
                f"{measurement.what}: {measurement.measured:.2f}; "
                f"{'reached' if measurement.holds else 'missed'}"
            )
