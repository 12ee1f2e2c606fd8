"""`network.json` of a network of real Fabric."""

from __future__ import annotations

from pathlib import Path

from fabric_native.authority_config import ca_name
from fabric_native.endpoints import Endpoints
from fabric_native.nodes import authority, orderer, peers
from fabric_native.paths import NetworkPaths
from fabric_operator.managed_network import recorded_engine
from fabric_protocol.network_profile import OrganizationEndpoints, network_profile
from fabric_protocol.topology import Organization

ENGINE = "fabric"


def build_profile(paths: NetworkPaths, endpoints: Endpoints) -> bytes:
    """The connection profile of a network, as JSON bytes."""
    topology = endpoints.topology
    described = {item.name: _describe(paths, endpoints, item) for item in topology.organizations}
    return network_profile(ENGINE, topology, described)


def holds_network(directory: Path) -> bool:
    """Whether a directory holds a network that this engine made."""
    paths = NetworkPaths(directory)
    return recorded_engine(paths.profile) == ENGINE and paths.settings.exists()


def _describe(paths: NetworkPaths, endpoints: Endpoints, organization: Organization) -> OrganizationEndpoints:
    name = organization.name
    return OrganizationEndpoints(
        peers=[endpoints.address(node) for node in peers(organization)],
        ca_url=f"https://{endpoints.address(authority(organization))}",
        ca_name=ca_name(name),
        tls_roots=paths.organization(name).tls_ca.certificate.relative_to(paths.directory).as_posix(),
        orderers=[endpoints.address(orderer(organization))],
    )
