"""A small network of real Fabric for integration tests: two organizations with the basic chaincode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from support.embedded import two_organization_topology

from fabric_native import NativeNetwork
from fabric_protocol.ordering_config import RAFT, OrderingConfig
from fabric_protocol.topology import Topology


def native_topology(consensus: str = RAFT, peers: int = 1) -> Topology:
    """Alpha and beta, ordered by Raft or SmartBFT; alpha runs so many peers."""
    topology = two_organization_topology()
    alpha, beta = topology.organizations
    return replace(
        topology,
        organizations=(replace(alpha, peers=peers), beta),
        ordering=OrderingConfig(consensus=consensus),
    )


@contextmanager
def native_network(directory: Path, topology: Topology) -> Iterator[NativeNetwork]:
    """A network that is up; it is ended afterwards, its files stay."""
    network = NativeNetwork.create(directory / "network", topology)
    try:
        network.up()
        yield network
    finally:
        if network.directory.exists():
            network.down()
