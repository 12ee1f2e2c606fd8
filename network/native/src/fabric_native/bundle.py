"""One organization's part of a network, as a directory for its own machine.

It holds what that organization's nodes need, and of the others their TLS roots only: no key, no secret.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fabric_native import chaincode_builder
from fabric_native.authority_config import authority_configs
from fabric_native.bundle_units import compose_file, systemd_unit, unit_name
from fabric_native.connection_profile import build_profile
from fabric_native.node_config import config_files, node_environment
from fabric_native.node_processes import Nodes
from fabric_native.nodes import Kind, Node
from fabric_native.paths import NetworkPaths
from fabric_operator.errors import NetworkError
from fabric_operator.material import read_registrar
from fabric_operator.ports import write_ports
from fabric_operator.private_files import replace_private, sync_tree, write_private
from fabric_protocol.topology import Organization

UNITS = "systemd"
COMPOSE = "compose.yaml"


@dataclass(frozen=True)
class Machine:
    """The machine on which a bundle will run.

    Parameters:
        directory: absolute path of the bundle there.
        binaries: directory of Fabric's binaries there.
        python: absolute path of the interpreter there that has the chaincode installed.
    """

    directory: Path
    binaries: Path
    python: Path

    def command(self, command: Sequence[str]) -> tuple[str, ...]:
        """A command with that machine's interpreter for `python`."""
        program, *arguments = command
        return (str(self.python) if program == "python" else program, *arguments)


def export_bundle(
    nodes: Nodes,
    organization: Organization,
    target: Path,
    machine: Machine,
    services: Mapping[str, Sequence[str]],
) -> None:
    """Write an organization's bundle, whole or not at all.

    Parameters:
        nodes: of the whole network; the organization's own are down.
        organization: whose.
        target: a directory that is not there yet, or is empty.
        machine: where the bundle will run.
        services: name and command of what else that machine keeps running.

    Raises:
        NetworkError: DIRECTORY_IN_USE; NETWORK_RUNS, the organization's nodes run: a copy of what they write
            would not be whole.
    """
    if target.exists() and any(target.iterdir()):
        raise NetworkError("DIRECTORY_IN_USE", f"{target} is not empty: name another directory")
    running = [node.name for node in nodes.all() if nodes.processes.find(node.name) is not None]
    if running:
        raise NetworkError("NETWORK_RUNS", f"{', '.join(running)} run: take the network down first")
    part = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    _Bundle(_own(nodes, organization, machine), nodes.paths, NetworkPaths(part), machine).write(services)
    sync_tree(part)
    part.replace(target)


def write_units(nodes: Nodes, services: Mapping[str, Sequence[str]]) -> None:
    """Write units and compose file of a bundle anew, for its nodes as they are now, on its own machine.

    Parameters:
        nodes: of the bundle.
        services: name and command of what else the machine keeps running.

    Raises:
        BinariesNotFoundError: BINARIES_MISSING, VERSION_UNFIT.
    """
    machine = Machine(
        directory=nodes.paths.directory,
        binaries=Path(nodes.settings.program("peer")).parent,
        python=Path(sys.executable),
    )
    _Bundle(nodes, nodes.paths, nodes.paths, machine).write_units(services)


def _own(nodes: Nodes, organization: Organization, machine: Machine) -> Nodes:
    """The nodes as they will be on that machine."""
    command = ("python", *nodes.topology.chaincode.command[1:])
    chaincode = replace(nodes.topology.chaincode, command=command)
    return replace(
        nodes,
        paths=NetworkPaths(machine.directory),
        topology=replace(nodes.topology, chaincode=chaincode),
        settings=replace(nodes.settings, organization=organization.name, binaries=str(machine.binaries)),
    )


@dataclass(frozen=True)
class _Bundle:
    """What is written: `nodes` as on the machine, from `source` to `target`."""

    nodes: Nodes
    source: NetworkPaths
    target: NetworkPaths
    machine: Machine

    @property
    def organization(self) -> Organization:
        (organization,) = self.nodes.operated
        return organization

    def write(self, services: Mapping[str, Sequence[str]]) -> None:
        self._copy_material()
        self._write_configurations()
        self._write_builder()
        self.write_units(services)
        nodes, target = self.nodes, self.target
        write_ports(target.ports, nodes.ports)
        write_private(target.genesis, self.source.genesis.read_bytes())
        write_private(target.settings, nodes.settings.to_json())
        write_private(target.topology, nodes.topology.to_json().encode("utf-8"))
        write_private(target.profile, build_profile(target, nodes.endpoints))

    def _copy_material(self) -> None:
        name = self.organization.name
        own = self.target.organization(name).directory
        shutil.copytree(self.source.organization(name).directory, own)
        for item in self.nodes.topology.organizations:
            if item.name != name:
                roots = self.source.organization(item.name).tls_ca.certificate
                write_private(self.target.organization(item.name).tls_ca.certificate, roots.read_bytes())

    def _write_configurations(self) -> None:
        paths, endpoints = self.nodes.paths, self.nodes.endpoints
        for node in self.nodes.all():
            directory = self.target.node(node).directory
            if node.kind == Kind.AUTHORITY:
                _, secret = read_registrar(self.source.organization(node.organization).registrar)
                for name, content in authority_configs(paths, node, endpoints, secret).items():
                    replace_private(directory / name, content)
            elif node.kind != Kind.CHAINCODE:
                for name, content in config_files(paths, endpoints, node, self.source).items():
                    replace_private(directory / name, content)

    def _write_builder(self) -> None:
        program = Path(chaincode_builder.__file__)
        write_private(self.target.builder / program.name, program.read_bytes())
        there = self.nodes.paths.builder / program.name
        for name, script in chaincode_builder.scripts(str(self.machine.python), there).items():
            write_private(self.target.builder / "bin" / name, script, executable=True)

    def write_units(self, services: Mapping[str, Sequence[str]]) -> None:
        nodes = {node: (self._command(node), self._environment(node)) for node in self.nodes.all()}
        more: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
            name: (self.machine.command(command), {}) for name, command in services.items()
        }
        units = {**{node.name: unit for node, unit in nodes.items()}, **more}
        directory = self.target.directory / UNITS
        directory.mkdir(mode=0o700, exist_ok=True)
        for name, (command, environment) in units.items():
            text = systemd_unit(name, self.machine.directory, command, environment)
            replace_private(directory / unit_name(name), text.encode("utf-8"))
        for path in directory.iterdir():
            if path.name not in map(unit_name, units):
                path.unlink()
        compose = compose_file(self.organization.name, self.machine.directory, nodes)
        replace_private(self.target.directory / COMPOSE, compose.encode("utf-8"))

    def _command(self, node: Node) -> tuple[str, ...]:
        settings, home = self.nodes.settings, str(self.nodes.paths.node(node).directory)
        match node.kind:
            case Kind.CHAINCODE:
                return self.machine.command(self.nodes.topology.chaincode.command)
            case Kind.AUTHORITY if settings.authority_command is not None:
                return self.machine.command((*settings.authority_command, home))
            case Kind.AUTHORITY:
                return (str(self.machine.binaries / "fabric-ca-server"), "start", "--home", home)
            case Kind.PEER:
                return (str(self.machine.binaries / "peer"), "node", "start")
        return (str(self.machine.binaries / "orderer"),)

    def _environment(self, node: Node) -> dict[str, str]:
        match node.kind:
            case Kind.AUTHORITY:
                return {}
            case Kind.CHAINCODE:
                here, there = (
                    paths.organization(node.organization).chaincode(node)
                    for paths in (self.source, self.nodes.paths)
                )
                # The machine's files are not there yet; the package's id is the same.
                there = replace(there, package_id=here.package_id)
                return there.environment(self.nodes.endpoints.address(node))
        return node_environment(self.nodes.paths, node)
