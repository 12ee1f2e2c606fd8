"""`network.json` of an embedded network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import ORDERER, ca_port, peer_port
from fabric_operator.managed_network import recorded_engine
from fabric_protocol.network_profile import OrganizationEndpoints, network_profile
from fabric_protocol.topology import Organization, Topology

ENGINE = "embedded"


def build_profile(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int]) -> bytes:
    """The connection profile of a network, as JSON bytes."""
    endpoints = {item.name: _endpoints(paths, topology, item, ports) for item in topology.organizations}
    return network_profile(ENGINE, topology, endpoints)


def holds_network(directory: Path) -> bool:
    """Whether a directory holds a network of this engine."""
    return recorded_engine(NetworkPaths(directory).profile) == ENGINE


def ca_name(organization: str) -> str:
    """Name of an organization's CA."""
    return f"{organization}-ca"


def _endpoints(
    paths: NetworkPaths, topology: Topology, organization: Organization, ports: Mapping[str, int]
) -> OrganizationEndpoints:
    name, host = organization.name, topology.host
    orders = organization == topology.organizations[0]
    return OrganizationEndpoints(
        peers=[f"{host}:{ports[peer_port(name)]}"],
        ca_url=f"https://{host}:{ports[ca_port(name)]}",
        ca_name=ca_name(name),
        tls_roots=paths.organization(name).tls_ca.certificate.relative_to(paths.directory).as_posix(),
        orderers=[f"{host}:{ports[ORDERER]}"] if orders else [],
    )
