"""Making a network's directory, whole or not at all, and taking it away again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fabric_embedded.connection_profile import build_profile
from fabric_embedded.genesis import build_genesis_block
from fabric_embedded.material import create_organization, make_directories
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import port_names
from fabric_operator.errors import NetworkError
from fabric_operator.network_directory import NetworkDirectory
from fabric_operator.port_claims import claim_ports
from fabric_operator.ports import write_ports
from fabric_operator.private_files import write_private
from fabric_protocol.topology import Topology


def create_network(directory: Path, topology: Topology) -> NetworkPaths:
    """Make key material, genesis block, ports and profile.

    Parameters:
        directory: where; made if it is not there. What an interrupted `create_network` left is cleared away.
        topology: what.

    Raises:
        NetworkError: NETWORK_EXISTS, DIRECTORY_IN_USE, NO_FREE_PORTS; TOPOLOGY_UNSUPPORTED, more than one
            peer an organization, or an organization on a machine of its own.
    """
    _require_single_peers(topology)
    _require_one_machine(topology)
    paths = NetworkPaths(directory.absolute())
    whole = network_directory(paths)
    whole.begin()
    make_directories(paths)
    start = datetime.now(UTC)
    ports = claim_ports(
        port_names([item.name for item in topology.organizations]), topology.host, paths.directory
    )
    write_ports(paths.ports, ports)
    for organization in topology.organizations:
        create_organization(paths.organization(organization.name), organization, topology, ports, start)
    write_private(paths.genesis, build_genesis_block(paths, topology, ports, start))
    write_private(paths.topology, topology.to_json().encode("utf-8"))
    write_private(paths.profile, build_profile(paths, topology, ports))
    whole.finish()
    return paths


def network_directory(paths: NetworkPaths) -> NetworkDirectory:
    """What of the directory belongs to the network."""
    files = (paths.profile, paths.topology, paths.ports, paths.genesis)
    parts = (*files, paths.ledger, paths.organizations, paths.run, paths.logs)
    return NetworkDirectory(paths.directory, [path.name for path in parts])


def _require_single_peers(topology: Topology) -> None:
    several = [item.name for item in topology.organizations if item.peers > 1]
    if several:
        raise NetworkError(
            "TOPOLOGY_UNSUPPORTED",
            f"the embedded engine runs one peer an organization, {', '.join(several)} asks for more: "
            "set peers to 1, or use the Fabric engine",
        )


def _require_one_machine(topology: Topology) -> None:
    elsewhere = [item.name for item in topology.organizations if item.host is not None]
    if elsewhere:
        raise NetworkError(
            "TOPOLOGY_UNSUPPORTED",
            f"the embedded engine serves every organization on one machine, {', '.join(elsewhere)} names a "
            "host of its own: leave it out, or use the Fabric engine",
        )
