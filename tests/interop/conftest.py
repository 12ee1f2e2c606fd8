"""The official Node.js software, a network for its client and one whose chaincode it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.embedded import User, enrolled_user, two_organizations
from support.node_chaincode import NodeChaincode, node_chaincode_network
from support.node_client import NodeClient
from support.node_packages import node_packages

from fabric_embedded.network import EmbeddedNetwork


@pytest.fixture(scope="session")
def packages() -> Path:
    """Where the official packages lie; without them the tests are reported as not run."""
    try:
        return node_packages()
    except LookupError as reason:
        pytest.skip(f"node: {reason}")


@pytest.fixture(scope="session")
def network(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    """Two organizations with our Python chaincode."""
    with two_organizations(tmp_path_factory.mktemp("node-client")) as network:
        yield network


@pytest.fixture(scope="session")
def users(network: EmbeddedNetwork) -> dict[str, User]:
    """One client of each organization, by name."""
    return {name: enrolled_user(network, name, f"user-of-{name}") for name in ("alpha", "beta")}


@pytest.fixture(scope="session")
def node(
    packages: Path,
    network: EmbeddedNetwork,
    users: dict[str, User],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NodeClient]:
    """The official client, with a connection for each organization's user."""
    with NodeClient(packages, tmp_path_factory.mktemp("node-keys")) as client:
        for name, user in users.items():
            client.open(name, network, user)
        yield client


@pytest.fixture(scope="session")
def node_chaincode(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeChaincode]:
    """Two organizations, each with the official Node.js runtime as its chaincode service (mutual TLS)."""
    with node_chaincode_network(packages, tmp_path_factory.mktemp("node-chaincode")) as chaincode:
        yield chaincode
