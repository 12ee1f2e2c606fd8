"""Administrators' connections to the peers of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from fabric_native.deployment import Deployment, Member
from fabric_native.nodes import Node, chaincode, peers
from fabric_native.paths import NetworkPaths
from fabric_native.peer_client import PeerClient
from fabric_operator.material import read_administrator
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.topology import Organization, Topology


def administrator(paths: NetworkPaths, organization: Organization) -> ConfigSigner:
    """An organization's administrator, as a signer.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    return read_administrator(paths.organization(organization.name).administrator, organization.msp_id)


def peer_client(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int], node: Node) -> PeerClient:
    """A connection to a peer, as its organization's administrator."""
    organization = topology.organization(node.organization)
    roots = paths.organization(organization.name).tls_ca.certificate.read_bytes()
    address = f"{topology.host}:{ports[node.name]}"
    return PeerClient(node.name, address, roots, administrator(paths, organization))


@contextmanager
def deployment(
    paths: NetworkPaths, topology: Topology, ports: Mapping[str, int], generation: int
) -> Iterator[Deployment]:
    """All organizations' administrators, connected to all peers."""
    with ExitStack() as stack:
        members = []
        for item in topology.organizations:
            service = paths.organization(item.name).chaincode(chaincode(item, generation))
            clients = [stack.enter_context(peer_client(paths, topology, ports, node)) for node in peers(item)]
            package = service.package.read_bytes()
            members.append(Member(item.msp_id, clients, package, service.read_package_id()))
        yield Deployment(topology.channel, members)
