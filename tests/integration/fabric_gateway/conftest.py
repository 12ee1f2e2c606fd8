"""Networks of two organizations for the tests of the client: the embedded engine, and either engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.embedded import two_organizations
from support.engines import engine_parameters
from support.native import native_network, native_topology

from fabric_embedded.network import EmbeddedNetwork
from fabric_native import NativeNetwork


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("gateway-client")) as network:
        yield network


@pytest.fixture(scope="session", params=engine_parameters())
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedNetwork | NativeNetwork]:
    if request.param == "embedded":
        yield request.getfixturevalue("embedded")
        return
    with native_network(tmp_path_factory.mktemp("gateway-client-fabric"), native_topology()) as network:
        yield network
