"""A small network of real Fabric for integration tests: two organizations with the basic chaincode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.embedded import User, two_organization_topology

from fabric_gateway import Gateway
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


def connect(network: NativeNetwork, user: User, peer: int = 0) -> Gateway:
    """A gateway connection of a user to one of its own organization's peers."""
    profile: Any = json.loads((network.directory / "network.json").read_text())
    node = profile["organizations"][user.msp_id]["peers"][peer]
    return Gateway.connect(
        node["endpoint"],
        identity=user.identity,
        signer=user.sign_digest,
        tls_roots=(network.directory / node["tls_roots"]).read_bytes(),
        server_name=node["server_name"],
    )


def put(network: NativeNetwork, user: User, key: str, value: str = "v") -> bytes:
    """Have the basic chaincode write a value."""
    with connect(network, user) as gateway:
        return gateway.network("testing").contract("basic").submit("basic:put", key, value)


def states(network: NativeNetwork) -> dict[str, str]:
    """State of every node, by name."""
    return {node.name: node.state for node in network.status()}
