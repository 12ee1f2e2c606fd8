"""A network of real Fabric, where its binaries are found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.native import native_network, native_topology
from support.optional_tools import find_optional_tool

from fabric_native import NativeNetwork


@pytest.fixture(scope="session")
def shared_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    """Two organizations, for all tests of this directory."""
    find_optional_tool("fabric-binaries")
    with native_network(tmp_path_factory.mktemp("native"), native_topology()) as network:
        yield network


@pytest.fixture
def network(shared_network: NativeNetwork) -> NativeNetwork:
    """The shared network, whole again whatever the test before has stopped."""
    shared_network.up()
    return shared_network
