"""The embedded engine: start, submit and evaluate over TLS with two endorsements, 200 in flight."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.clients import enrolled_gateway
from benchmarks.results import Measurement
from consentry.verification import Verifier, memory_source
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Contract, Gateway
from fabric_protocol.blocks import parse_block
from fabric_protocol.topology import ChaincodeDefinition, Organization, Topology

IN_FLIGHT = 200
SUBMITS = 2_000
EVALUATIONS = 4_000
VALUE = "v" * 200
_COMMAND = (sys.executable, str(Path(__file__).with_name("runtime_chaincode.py")))


def measure(directory: Path) -> Iterator[Measurement]:
    """Create a network of two organizations in `directory` and measure it."""
    network = EmbeddedNetwork.create(directory, two_organizations())
    began = time.perf_counter()
    try:
        network.up()
        with enrolled_gateway(network, "alpha") as gateway:
            contract = gateway.network("bench").contract("values")
            contract.submit("bench:put", "first", VALUE)
            yield Measurement(
                "embedded engine, up to the first commit", time.perf_counter() - began, "s", 2, False
            )
            many_in_flight(200, lambda i: contract.submit("bench:put", f"warm-{i}", VALUE))
            rate = many_in_flight(SUBMITS, lambda i: contract.submit("bench:put", f"key-{i}", VALUE))
            yield Measurement("submit, 200 bytes, 2 endorsements, 200 in flight", rate, "/s", 600)
            rate = many_in_flight(EVALUATIONS, lambda i: _evaluate(contract, i))
            yield Measurement("evaluate, 200 in flight", rate, "/s", 2_000)
            yield Measurement("blocks re-proved", _proof_rate(gateway), "transactions/s", 1_500)
    finally:
        network.down()


def _proof_rate(gateway: Gateway) -> float:
    """Transactions a second that the verifier proves, on one core, with all their signatures."""
    network = gateway.network("bench")
    newest = parse_block(network.newest_block()).header.number
    blocks = list(network.blocks(0, newest))
    began = time.perf_counter()
    proved = Verifier().verify([memory_source("alpha", blocks)], None)
    assert not proved.differences
    return proved.transactions / (time.perf_counter() - began)


def two_organizations() -> Topology:
    """A channel on which both of two organizations endorse."""
    names = {"alpha": "AlphaMSP", "beta": "BetaMSP"}
    return Topology(
        channel="bench",
        organizations=tuple(Organization(name, msp_id, "hospital") for name, msp_id in names.items()),
        chaincode=ChaincodeDefinition(
            name="values",
            policy="OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')",
            collections=(),
            command=_COMMAND,
        ),
    )


def _evaluate(contract: Contract, index: int) -> None:
    assert contract.evaluate("bench:get", f"key-{index % SUBMITS}").decode() == VALUE


def many_in_flight(count: int, call: Callable[[int], object]) -> float:
    """Calls a second, the given number of them with 200 in flight."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        began = time.perf_counter()
        for _ in pool.map(call, range(count)):
            pass
        return count / (time.perf_counter() - began)
