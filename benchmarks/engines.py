"""The embedded engine beside real Fabric on one machine, interleaved: SmartBFT (four orderers), Raft.

All have the same organizations, chaincode, client and way of cutting blocks, two endorsements, TLS, and
200 in flight. Run where Fabric's binaries are found; alone: ``python -m benchmarks.engines``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import fabric_native
from benchmarks.clients import enrolled_gateway
from benchmarks.embedded import two_organizations
from benchmarks.load import Load, evaluations, measured, submits
from benchmarks.results import Measurement
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Contract
from fabric_protocol.ordering_config import BFT, RAFT
from fabric_protocol.topology import Organization, Topology

ROUNDS = 3
SUBMITS = 600
EVALUATIONS = 600
_EMBEDDED, _SMART_BFT, _RAFT = "embedded", "SmartBFT", "Raft"
# What only orders and endorses nothing: SmartBFT takes four nodes, for one may lie.
_MORE = (Organization("gamma", "GammaMSP", "hospital"), Organization("delta", "DeltaMSP", "hospital"))
_Engine = tuple[Any, Contract]


def measure(directory: Path) -> Iterator[Measurement]:
    """Measure in rounds; nothing where Fabric's binaries are not there, with a line that says so."""
    try:
        fabric_native.find_binaries()
    except fabric_native.BinariesNotFoundError as error:
        print(f"embedded engine beside real Fabric: not run; {error}")
        return
    with contextlib.ExitStack() as stack:
        engines = {
            _EMBEDDED: stack.enter_context(_running(EmbeddedNetwork, directory, _topology(_EMBEDDED))),
            _SMART_BFT: stack.enter_context(_running(fabric_native.NativeNetwork, directory, _topology(BFT))),
            _RAFT: stack.enter_context(_running(fabric_native.NativeNetwork, directory, _topology(RAFT))),
        }
        rates = _rates(engines)
    for other, bar in ((_SMART_BFT, 2.0), (_RAFT, 1.4)):
        ratio = rates[_EMBEDDED] / rates[other]
        yield Measurement(f"submit, embedded engine / {other}", ratio, "×", bar)


def _topology(consensus: str) -> Topology:
    topology = two_organizations()
    if consensus == _EMBEDDED:
        return topology
    ordering = dataclasses.replace(topology.ordering, consensus=consensus)
    organizations = topology.organizations if consensus == RAFT else (*topology.organizations, *_MORE)
    return dataclasses.replace(topology, ordering=ordering, organizations=organizations)


@contextlib.contextmanager
def _running(kind: Any, directory: Path, topology: Topology) -> Iterator[_Engine]:
    name = kind.__name__ + topology.ordering.consensus
    network = kind.create(directory / name, topology)
    try:
        network.up()
        with enrolled_gateway(network, "alpha") as gateway:
            yield network, gateway.network("bench").contract("values")
    finally:
        network.down()


def _rates(engines: dict[str, _Engine]) -> dict[str, float]:
    """Median submits a second of the rounds, by engine."""
    found: dict[str, list[Load]] = {name: [] for name in engines}
    for turn in range(ROUNDS + 1):
        for name, (network, contract) in engines.items():
            load = measured(network, SUBMITS, submits(contract, f"round-{turn}", SUBMITS))
            read = measured(
                network, EVALUATIONS, evaluations(contract, f"round-{turn}", EVALUATIONS, SUBMITS)
            )
            print(f"{name}, round {turn}: submit {load}; evaluate {read.rate:,.0f}/s", flush=True)
            # The first turn warms caches and connections up.
            if turn:
                found[name].append(load)
    return {name: median(load.rate for load in loads) for name, loads in found.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place)):
            verdict = "reached" if measurement.holds else "missed"
            print(f"{measurement.what}: {measurement.measured:.2f}; {verdict}")
