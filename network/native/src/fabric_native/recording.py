"""Writing down what a network has become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fabric_native.connection_profile import build_profile
from fabric_native.node_processes import Nodes
from fabric_native.nodes import Node
from fabric_native.ports import port_names
from fabric_operator.chaincode_service import package_label
from fabric_operator.port_claims import claim_ports
from fabric_operator.ports import write_ports
from fabric_operator.private_files import replace_private
from fabric_protocol.topology import Topology


def with_ports(nodes: Nodes, topology: Topology, added: Sequence[Node]) -> Nodes:
    """The nodes under another topology, with ports for those that are added.

    Raises:
        NetworkError: NO_FREE_PORTS.
    """
    names = [name for name in port_names(added) if name not in nodes.ports]
    found = claim_ports(names, topology.host, nodes.paths.directory, nodes.ports)
    ports = {**nodes.ports, **found}
    write_ports(nodes.paths.ports, ports)
    return replace(nodes, topology=topology, ports=ports)


def record(nodes: Nodes) -> None:
    """Write settings, topology and connection profile, each in place of the one that is there."""
    replace_private(nodes.paths.settings, nodes.settings.to_json())
    replace_private(nodes.paths.topology, nodes.topology.to_json().encode("utf-8"))
    replace_private(nodes.paths.profile, build_profile(nodes.paths, nodes.endpoints))


def write_package(nodes: Nodes, service: Node) -> None:
    """Make the package of an organization's chaincode service; its certificates must be there."""
    files = nodes.paths.organization(service.organization).chaincode(service)
    files.write_package(package_label(nodes.topology.chaincode), nodes.endpoints.address(service))
