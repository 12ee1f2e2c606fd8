"""Making a network's directory, whole or not at all, and taking it away again."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from fabric_embedded.connection_profile import build_profile, holds_network
from fabric_embedded.genesis import build_genesis_block
from fabric_embedded.material import create_organization, make_directories
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import port_names
from fabric_operator.errors import NetworkError
from fabric_operator.ports import choose_ports, write_ports
from fabric_operator.private_files import sync, sync_tree, write_private
from fabric_protocol.topology import Topology


def create_network(directory: Path, topology: Topology) -> NetworkPaths:
    """Make key material, genesis block, ports and profile.

    Parameters:
        directory: where; made if it is not there. What an interrupted `create_network` left is cleared away.
        topology: what.

    Raises:
        NetworkError: NETWORK_EXISTS, DIRECTORY_IN_USE, NO_FREE_PORTS.
    """
    paths = NetworkPaths(directory.absolute())
    _require_room(paths)
    paths.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _unfinished(paths).touch(mode=0o600)
    make_directories(paths)
    start = datetime.now(UTC)
    ports = choose_ports(port_names([item.name for item in topology.organizations]), topology.host)
    write_ports(paths.ports, ports)
    for organization in topology.organizations:
        create_organization(paths.organization(organization.name), organization, topology, ports, start)
    write_private(paths.genesis, build_genesis_block(paths, topology, ports, start))
    write_private(paths.topology, topology.to_json().encode("utf-8"))
    write_private(paths.profile, build_profile(paths, topology, ports))
    # A ledger that outlives a power failure is worth nothing without its keys and its genesis block.
    sync_tree(paths.directory)
    _unfinished(paths).unlink()
    sync(paths.directory)
    return paths


def remove_network(paths: NetworkPaths) -> None:
    """Remove what belongs to the network; other files stay, and the directory too if there are any."""
    # With the mark in place an interrupted removal is finished by the next create.
    _unfinished(paths).touch(mode=0o600)
    _clear(paths)
    _unfinished(paths).unlink()
    if not any(paths.directory.iterdir()):
        paths.directory.rmdir()


def _require_room(paths: NetworkPaths) -> None:
    if _unfinished(paths).exists():
        _clear(paths)
        return
    if holds_network(paths.directory):
        raise NetworkError(
            "NETWORK_EXISTS", f"{paths.directory} holds a network already: bring it up, or destroy it first"
        )
    present = [path.name for path in _parts(paths) if path.exists()]
    if present:
        raise NetworkError(
            "DIRECTORY_IN_USE",
            f"{paths.directory} holds {', '.join(present)} but no network to be read: name another directory",
        )


def _clear(paths: NetworkPaths) -> None:
    for path in _parts(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _parts(paths: NetworkPaths) -> list[Path]:
    files = [paths.profile, paths.topology, paths.ports, paths.genesis]
    return [*files, paths.ledger, paths.organizations, paths.run, paths.logs]


def _unfinished(paths: NetworkPaths) -> Path:
    return paths.directory / ".unfinished"
