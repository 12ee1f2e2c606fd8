"""One embedded network for the tests that leave it as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.embedded import User, enrolled_user, two_organizations

from fabric_embedded.network import EmbeddedNetwork
from fabric_gateway import Contract, Gateway


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("embedded")) as network:
        yield network


@pytest.fixture(scope="session")
def users(network: EmbeddedNetwork) -> dict[str, User]:
    """One client of each organization, by name."""
    return {name: enrolled_user(network, name, f"user-of-{name}") for name in ("alpha", "beta")}


def connect(network: EmbeddedNetwork, user: User) -> Gateway:
    """A gateway connection of a user to its own organization's peer."""
    profile: Any = json.loads((network.directory / "network.json").read_text())
    peer = profile["organizations"][user.msp_id]["peers"][0]
    return Gateway.connect(
        peer["endpoint"],
        identity=user.identity,
        signer=user.sign_digest,
        tls_roots=(network.directory / peer["tls_roots"]).read_bytes(),
        server_name=peer["server_name"],
    )


@pytest.fixture(scope="session")
def contract(network: EmbeddedNetwork, users: dict[str, User]) -> Iterator[Callable[[str], Contract]]:
    """The basic chaincode as an organization's user sees it."""
    with ExitStack() as stack:
        contracts = {
            name: stack.enter_context(connect(network, user)).network("testing").contract("basic")
            for name, user in users.items()
        }
        yield contracts.__getitem__
