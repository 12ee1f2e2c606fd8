"""`network.json` of a network of real Fabric."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fabric_native.authority_config import ca_name
from fabric_native.nodes import authority, orderer, peers
from fabric_native.paths import NetworkPaths
from fabric_operator.managed_network import recorded_engine
from fabric_protocol.network_profile import OrganizationEndpoints, network_profile
from fabric_protocol.topology import Organization, Topology

ENGINE = "fabric"


def build_profile(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int]) -> bytes:
    """The connection profile of a network, as JSON bytes."""
    endpoints = {item.name: _endpoints(paths, topology, item, ports) for item in topology.organizations}
    return network_profile(ENGINE, topology, endpoints)


def holds_network(directory: Path) -> bool:
    """Whether a directory holds a network that this engine made."""
    paths = NetworkPaths(directory)
    return recorded_engine(paths.profile) == ENGINE and paths.settings.exists()


def _endpoints(
    paths: NetworkPaths, topology: Topology, organization: Organization, ports: Mapping[str, int]
) -> OrganizationEndpoints:
    name, host = organization.name, topology.host
    return OrganizationEndpoints(
        peers=[f"{host}:{ports[node.name]}" for node in peers(organization)],
        ca_url=f"https://{host}:{ports[authority(organization).name]}",
        ca_name=ca_name(name),
        tls_roots=paths.organization(name).tls_ca.certificate.relative_to(paths.directory).as_posix(),
        orderers=[f"{host}:{ports[orderer(organization).name]}"],
    )
