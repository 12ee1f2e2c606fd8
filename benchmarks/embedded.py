"""The embedded engine: start, submit and evaluate over TLS with two endorsements, 200 in flight."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clients import enrolled_gateway
from benchmarks.load import evaluations, measured, submits
from benchmarks.results import Measurement
from consentry.verification import Verifier, memory_source
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Gateway
from fabric_protocol.blocks import parse_block
from fabric_protocol.topology import ChaincodeDefinition, Organization, Topology

SUBMITS = 2_000
EVALUATIONS = 4_000
_WARM = 300
_COMMAND = (sys.executable, str(Path(__file__).with_name("runtime_chaincode.py")))


def measure(directory: Path) -> Iterator[Measurement]:
    """Create a network of two organizations in `directory` and measure it."""
    network = EmbeddedNetwork.create(directory, two_organizations())
    began = time.perf_counter()
    try:
        network.up()
        with enrolled_gateway(network, "alpha") as gateway:
            contract = gateway.network("bench").contract("values")
            contract.submit("bench:put", "first", "value")
            yield Measurement(
                "embedded engine, up to the first commit", time.perf_counter() - began, "s", 2, False
            )
            submits(contract, "warm", _WARM)()
            load = measured(network, SUBMITS, submits(contract, "key", SUBMITS))
            print(f"submit: {load}")
            yield Measurement("submit, 200 bytes, 2 endorsements, 200 in flight", load.rate, "/s", 600)
            load = measured(network, EVALUATIONS, evaluations(contract, "key", EVALUATIONS, SUBMITS))
            print(f"evaluate: {load}")
            yield Measurement("evaluate, 200 in flight", load.rate, "/s", 2_000)
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


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for item in measure(Path(place) / "embedded"):
            print(f"{item.what}: {item.measured:,.2f} {item.unit}; {'reached' if item.holds else 'missed'}")
