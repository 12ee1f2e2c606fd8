"""Chaincode runtimes on a whole engine with a real client: rates, CPU and latency, interleaved.

Each runtime has a network of its own, all alike; two organizations endorse, mutual TLS to the chaincode.
Where a machine's CPU is the limit, a rate is one over the CPU of everything that takes part: so the CPU of
the chaincode services is shown beside that of the engine and the client, which no runtime can save. Where
Fabric's binaries are found, on real peers too. Alone: ``python -m benchmarks.runtimes_on_engines``.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from benchmarks.clients import enrolled_gateway
from benchmarks.load import Load, measured
from benchmarks.null_peer import VALUE
from benchmarks.results import Measurement
from benchmarks.runtimes import GO, NODE, OURS, Runtime, runtimes
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Contract
from fabric_native import BinariesNotFoundError, NativeNetwork, find_binaries
from fabric_protocol.topology import ChaincodeDefinition, Organization, Topology

ROUNDS = 5
_TEXT = VALUE.decode()
_CHAINCODE_NODES = "chaincode-"
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
    Shape("put", True, 600, 200, {GO: 0.95}),
    Shape("get", False, 1000, 200, {NODE: 1.0, GO: 0.90}),
    Shape("domain", True, 400, 200, {NODE: 1.5}),
    Shape("write_many", True, 8, 4, {NODE: 5.0}),
    Shape("read_many", False, 16, 4, {NODE: 3.0}),
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


@dataclass(frozen=True)
class Subject:
    """A runtime on a network of its own, and a connection to it."""

    network: Any
    contract: Contract

    def run(self, shape: Shape) -> Load:
        """One round."""

        def calls() -> None:
            with self.contract.in_flight(shape.in_flight) as calls:
                make = calls.submit if shape.submitted else calls.evaluate
                futures = [make(*_arguments(shape)) for _ in range(shape.count)]
            for future in futures:
                future.result()

        return measured(self.network, shape.count, calls)

    def latency(self) -> float:
        """Median of the seconds that one call takes while nothing else is under way."""
        found = []
        for _ in range(_ALONE.count):
            began = time.perf_counter()
            self.contract.evaluate(*_arguments(_ALONE))
            found.append(time.perf_counter() - began)
        return median(found)


def _on(engine: str, kind: Any, found: list[Runtime], directory: Path) -> Iterator[Measurement]:
    with contextlib.ExitStack() as stack:
        subjects = {
            runtime.name: stack.enter_context(_subject(kind, directory / runtime.name, runtime))
            for runtime in found
        }
        for shape in SHAPES:
            loads = _interleaved(subjects, partial(Subject.run, shape=shape))
            # The bars beside Go are for real peers.
            bars = {name: bar for name, bar in shape.bars.items() if name != GO or engine == _REAL}
            rates = {name: median(load.rate for load in rounds) for name, rounds in loads.items()}
            yield from _compared(f"{engine}, {shape.function}", rates, bars, "rate")
            _show_cpu(f"{engine}, {shape.function}", loads)
        seconds = _interleaved(subjects, Subject.latency)
        speeds = {name: 1 / median(rounds) for name, rounds in seconds.items()}
        yield from _compared(f"{engine}, {_ALONE.function} alone", speeds, _ALONE.bars, "latency (p50)")


@contextlib.contextmanager
def _subject(kind: Any, directory: Path, runtime: Runtime) -> Iterator[Subject]:
    chaincode = ChaincodeDefinition(
        name="values", policy="OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')", command=runtime.command
    )
    network = kind.create(directory, Topology("bench", _ORGANIZATIONS, chaincode))
    try:
        network.up()
        with enrolled_gateway(network, "alpha") as gateway:
            yield Subject(network, gateway.network("bench").contract("values"))
    finally:
        network.down()


_numbers = itertools.count()
_Found = TypeVar("_Found")


def _arguments(shape: Shape) -> tuple[str, ...]:
    # Keys of its own for each call: none conflicts with another.
    key = f"{next(_numbers):08}-"
    function = f"bench:{shape.function}"
    return (function, key) if shape.function in ("get", "read_many") else (function, key, _TEXT)


def _interleaved(
    subjects: dict[str, Subject], round_of: Callable[[Subject], _Found]
) -> dict[str, list[_Found]]:
    """What the rounds came to, by runtime."""
    found: dict[str, list[_Found]] = {name: [] for name in subjects}
    for turn in range(ROUNDS + 1):
        for name, subject in subjects.items():
            came_to = round_of(subject)
            # The first turn warms caches and compilers up.
            if turn:
                found[name].append(came_to)
    return found


def _show_cpu(what: str, loads: dict[str, list[Load]]) -> None:
    """What a call costs the chaincode services and all else, and what a runtime can make of it at most."""
    totals = {name: median(load.total for load in rounds) for name, rounds in loads.items()}
    for name, rounds in loads.items():
        services = median(_chaincode_cpu(load) for load in rounds)
        print(f"{what}, {name}: CPU a call {totals[name]:.2f} ms, of which chaincode {services:.2f} ms")
    rest = median(load.total - _chaincode_cpu(load) for load in loads[OURS])
    for other, total in totals.items():
        if other != OURS:
            least, most = total / totals[OURS], total / rest
            print(f"{what}, {other}'s CPU / ours: {least:.2f}; if our chaincode cost nothing: {most:.2f}")


def _chaincode_cpu(load: Load) -> float:
    return sum(spent for name, spent in load.milliseconds.items() if name.startswith(_CHAINCODE_NODES))


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
