"""Making the directory of a network of real Fabric, whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fabric_native.authorities import Authorities
from fabric_native.chaincode_builder import scripts
from fabric_native.connection_profile import build_profile
from fabric_native.endpoints import Endpoints
from fabric_native.genesis import build_genesis_block
from fabric_native.invitation import Invitation
from fabric_native.material import create_authorities
from fabric_native.nodes import chaincode, network_nodes
from fabric_native.paths import NetworkPaths
from fabric_native.ports import port_names
from fabric_native.settings import EngineSettings, choose_settings
from fabric_operator.chaincode_service import package_label
from fabric_operator.network_directory import NetworkDirectory
from fabric_operator.port_claims import claim_ports
from fabric_operator.ports import write_ports
from fabric_operator.private_files import write_private
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Topology

# Variables of these names configure Fabric's programs; those of the caller's shell are for another network.
_WITHHELD = ("CORE_", "ORDERER_", "FABRIC_", "CHAINCODE_")


def create_network(
    directory: Path,
    topology: Topology,
    binaries: Path | None,
    authority_fallback: Sequence[str],
    progress: Callable[[str], None],
) -> NetworkPaths:
    """Make key material, genesis block, ports and profile; the CAs that issued go on running.

    Parameters:
        directory: where; made if it is not there. What an interrupted creation left is cleared away.
        topology: what.
        binaries: where Fabric's binaries are looked for first.
        authority_fallback: command that serves CAs where Fabric CA's server is not found.
        progress: told a sentence for each step.

    Raises:
        BinariesNotFoundError: nothing was made.
        NetworkError: NETWORK_EXISTS, DIRECTORY_IN_USE, NO_FREE_PORTS.
        AuthorityError, ProcessError: the CAs did not start, or did not issue.
    """
    settings, found = choose_settings(binaries, authority_fallback)
    progress(found)
    paths = NetworkPaths(directory.absolute())
    return _whole_or_not_at_all(
        paths, lambda processes: _create(paths, topology, settings, processes, progress)
    )


def create_member(
    directory: Path,
    invitation: Invitation,
    topology: Topology,
    name: str,
    binaries: Path | None,
    authority_fallback: Sequence[str],
    progress: Callable[[str], None],
) -> NetworkPaths:
    """Make an organization's own part of a network that runs without it; its CA goes on running.

    Parameters:
        directory: where; as for `create_network`.
        invitation: to the network as it is.
        topology: the network as it will be, with the organization.
        name: of the organization; it has a host of its own.
        binaries, authority_fallback, progress: as for `create_network`, as is what is raised.
    """
    settings, found = choose_settings(binaries, authority_fallback)
    progress(found)
    paths, settings = NetworkPaths(directory.absolute()), replace(settings, organization=name)
    return _whole_or_not_at_all(
        paths, lambda processes: _create(paths, topology, settings, processes, progress, invitation)
    )


def _whole_or_not_at_all(paths: NetworkPaths, make: Callable[[ProcessKeeper], None]) -> NetworkPaths:
    processes = process_keeper(paths)
    whole = network_directory(paths)
    if whole.is_unfinished:
        # The CAs of an interrupted creation may run still, on files that are about to be cleared away.
        processes.stop([record.name for record in processes.recorded()])
    whole.begin()
    try:
        make(processes)
    except BaseException:
        processes.stop([record.name for record in processes.recorded()])
        raise
    whole.finish()
    return paths


def network_directory(paths: NetworkPaths) -> NetworkDirectory:
    """What of the directory belongs to the network."""
    files = (paths.profile, paths.topology, paths.ports, paths.genesis, paths.settings)
    parts = (*files, paths.builder, paths.organizations, paths.run, paths.logs)
    return NetworkDirectory(paths.directory, [path.name for path in parts])


def process_keeper(paths: NetworkPaths) -> ProcessKeeper:
    """Who starts and ends the network's processes."""
    return ProcessKeeper(paths.run, paths.logs, withheld=_WITHHELD)


def _create(
    paths: NetworkPaths,
    topology: Topology,
    settings: EngineSettings,
    processes: ProcessKeeper,
    progress: Callable[[str], None],
    invitation: Invitation | None = None,
) -> None:
    for path in (paths.organizations, paths.run, paths.logs):
        path.mkdir(mode=0o700)
    start = datetime.now(UTC)
    here = settings.operated(topology)
    own = [node for node in network_nodes(topology) if node.organization in {item.name for item in here}]
    others = {} if invitation is None else invitation.ports
    ports = {**others, **claim_ports(port_names(own), topology.host, paths.directory)}
    write_ports(paths.ports, ports)
    endpoints = Endpoints(topology, ports, on_own_machine=invitation is not None)
    write_private(paths.settings, settings.to_json())
    write_private(paths.topology, topology.to_json().encode("utf-8"))
    for name, program in scripts(sys.executable).items():
        write_private(paths.builder / "bin" / name, program, executable=True)
    for organization in here:
        create_authorities(paths, organization, endpoints, start)
    _issue(Authorities(paths, endpoints, settings, processes), progress)
    for organization in here:
        service = chaincode(organization)
        files = paths.organization(organization.name).chaincode(service)
        files.write_package(package_label(topology.chaincode), endpoints.address(service))
    if invitation is None:
        write_private(paths.genesis, build_genesis_block(paths, endpoints, start))
    else:
        write_private(paths.genesis, invitation.genesis)
        for name, roots in invitation.tls_roots.items():
            write_private(paths.organization(name).tls_ca.certificate, roots)
    write_private(paths.profile, build_profile(paths, endpoints))


def _issue(authorities: Authorities, progress: Callable[[str], None]) -> None:
    if authorities.settings.authority_command is None:
        authorities.start()
        progress(f"{len(authorities.operated)} certificate authorities answer")
    authorities.issue(authorities.operated)
    progress("identities and TLS certificates of all nodes are issued")
