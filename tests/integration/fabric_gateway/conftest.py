"""One embedded network of two organizations for the tests of the client."""

from collections.abc import Iterator

import pytest
from support.embedded import two_organizations

from fabric_embedded.network import EmbeddedNetwork


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("gateway-client")) as network:
        yield network
