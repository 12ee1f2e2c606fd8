"""An embedded network in a directory: one engine process, one chaincode process for each organization.

network = EmbeddedNetwork.create(Path("demo"), topology)
network.up(print)
…
network.down()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fabric_embedded.connection_profile import holds_network
from fabric_embedded.health import ENGINE_COMPONENT, chaincode_component, read_health
from fabric_embedded.material import read_registrar
from fabric_embedded.network_creation import create_network, network_directory
from fabric_embedded.nodes import (
    CHAINCODE_PREFIX,
    ENGINE,
    NetworkNodes,
    chaincode_node,
    engine_environment,
    is_chaincode_node,
)
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS
from fabric_operator.errors import NetworkError, ProcessError
from fabric_operator.node_control import NodeControl
from fabric_operator.node_status import NodeStatus
from fabric_operator.ports import read_ports
from fabric_operator.processes import ProcessKeeper
from fabric_operator.reconfiguration import change_configuration, read_administrator, read_ordering_nodes
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.topology import Topology

__all__ = ["EmbeddedNetwork", "NodeStatus"]

UP_SECONDS = 60.0
_HEALTH_SECONDS = 0.03
_DISCONNECT_SECONDS = 5.0


def _silent(_message: str) -> None:
    """Report progress to nobody."""


class EmbeddedNetwork(NodeControl):
    """A network's directory and processes.

    Parameters:
        directory: absolute path of the network's directory.
        topology: what `create` was given.
    """

    RESERVED = (CHAINCODE_PREFIX,)

    def __init__(self, directory: Path, topology: Topology) -> None:
        self.directory = directory
        self.topology = topology
        self._paths = NetworkPaths(directory)
        self._whole = network_directory(self._paths)
        self._ports = read_ports(self._paths.ports)
        super().__init__(ProcessKeeper(self._paths.run, self._paths.logs))
        self._nodes = NetworkNodes(self._paths, topology, self._ports, self._processes)

    @classmethod
    def create(cls, directory: Path, topology: Topology) -> EmbeddedNetwork:
        """Make key material, genesis block, ports and profile; nothing runs yet.

        Raises:
            NetworkError: NETWORK_EXISTS, DIRECTORY_IN_USE, NO_FREE_PORTS.
        """
        return cls(create_network(directory, topology).directory, topology)

    @classmethod
    def load(cls, directory: Path) -> EmbeddedNetwork:
        """Open a network that `create` made.

        Raises:
            NetworkError: NETWORK_NOT_FOUND.
            TopologyError: its topology was altered into something else.
        """
        if not holds_network(directory):
            raise NetworkError(
                "NETWORK_NOT_FOUND", f"{directory} holds no embedded network: create one there first"
            )
        paths = NetworkPaths(directory.absolute())
        return cls(paths.directory, Topology.from_json(paths.topology.read_bytes()))

    def up(self, progress: Callable[[str], None] = _silent) -> None:
        """Start what does not run yet; returns when every organization can endorse.

        A chaincode service that runs another command is replaced. Interrupted or failed, it ends what it
        started itself.

        Parameters:
            progress: told a sentence for each step.

        Raises:
            NetworkError: PORT_TAKEN, NETWORK_BUSY.
            ProcessError: a process ended or did not get ready; with the tail of its log.
        """
        started: list[str] = []
        begin = time.monotonic()
        with self._whole.locked():
            try:
                self._nodes.require_ports()
                self._start_and_wait(started, progress)
            except BaseException:
                self._processes.stop(started)
                raise
        progress(f"network ready after {time.monotonic() - begin:.1f} s")

    def down(self) -> None:
        """End every process, the clients first; ledger and keys stay.

        Raises:
            NetworkError: NETWORK_BUSY.
        """
        with self._whole.locked():
            names = [record.name for record in self._processes.recorded()]
            own = [ENGINE, *(name for name in names if is_chaincode_node(name))]
            for group in ([name for name in names if name not in own], own[:1], own[1:]):
                self._processes.stop(group)

    def destroy(self) -> None:
        """End every process and remove the network's files; what others put into the directory stays.

        Raises:
            NetworkError: NETWORK_BUSY.
        """
        self.down()
        self._whole.remove()

    def status(self) -> list[NodeStatus]:
        """State of the engine, the chaincode services and whatever else was started, in this order."""
        return self._nodes.status(self._health() if self._processes.find(ENGINE) else {})

    def node_names(self) -> list[str]:
        """The engine, then every organization's chaincode service."""
        return self._nodes.names()

    def start_node(self, name: str) -> None:
        """Start the engine or a chaincode service; returns when it can be used.

        Raises:
            NetworkError: NODE_UNKNOWN.
            ProcessError: it ended or did not get ready in time; with the tail of its log.
        """
        self.require_node(name)
        if name != ENGINE:
            self.start_chaincode(name.removeprefix(CHAINCODE_PREFIX))
        elif self._processes.ensure(ENGINE, self._nodes.engine_command(), engine_environment()):
            self._processes.wait_until_ready(
                ENGINE, lambda: ENGINE_COMPONENT not in self._paced_health(), UP_SECONDS
            )

    def start_chaincode(self, organization: str, command: Sequence[str] | None = None) -> None:
        """Start an organization's chaincode service, in place of one that runs.

        Parameters:
            organization: its name or MSP id.
            command: another command on the same address, package id and certificates; None is the topology's.

        Returns when the peer has connected to it, if the engine runs.

        Raises:
            ProcessError: the service ended or was not ready in time; with the tail of its log.
        """
        name = self.topology.organization(organization).name
        self.stop_chaincode(name)
        self._processes.start(
            chaincode_node(name),
            command or self.topology.chaincode.command,
            self._nodes.chaincode_environment(name),
        )
        if self._processes.find(ENGINE):
            component = chaincode_component(name)
            self._processes.wait_until_ready(
                chaincode_node(name), lambda: component not in self._paced_health(), UP_SECONDS
            )

    def stop_chaincode(self, organization: str) -> None:
        """End an organization's chaincode service; returns when its peer has noticed, if the engine runs."""
        name = self.topology.organization(organization).name
        self._processes.stop([chaincode_node(name)])
        deadline = time.monotonic() + _DISCONNECT_SECONDS
        while self._processes.find(ENGINE) and time.monotonic() < deadline:
            if {chaincode_component(name), ENGINE_COMPONENT} & set(self._paced_health()):
                return

    def registrar(self, organization: str) -> tuple[str, str]:
        """Enrolment id and secret of the registrar of an organization's CA (by name or MSP id).

        Raises:
            MaterialError: MATERIAL_UNREADABLE.
        """
        name = self.topology.organization(organization).name
        return read_registrar(self._paths.organization(name))

    def change_configuration(self, organizations: Sequence[str], change: Callable[[Any], Any]) -> int:
        """Change the channel's configuration, signed by these organizations' administrators.

        Parameters:
            organizations: names or MSP ids; the first one's administrator sends the update.
            change: makes the wanted tree (ConfigGroup) of the one in force.

        Returns:
            Number of the block that brought the configuration.

        Raises:
            NetworkError: CONFIG_CHANGE_REFUSED, ORDERER_UNREACHABLE; see `fabric_operator.reconfiguration`.
        """
        members = [self.topology.organization(name) for name in organizations]
        signers = [
            read_administrator(self._paths.organization(item.name).admin, item.msp_id) for item in members
        ]
        nodes = read_ordering_nodes(self.directory)
        return change_configuration(nodes, self.topology.channel, signers, change)

    def anchor(self) -> str:
        """Hex SHA-256 of the genesis block's header: what a verifier keeps outside the ledger."""
        block = parse_block(self._paths.genesis.read_bytes())
        return header_hash(block.header).hex()

    def _start_and_wait(self, started: list[str], progress: Callable[[str], None]) -> None:
        while True:
            self._start_all(started, progress)
            try:
                self._wait_until_healthy(progress)
            except ProcessError:
                ended = {name for name in self._nodes.names() if self._processes.find(name) is None}
                # One killed a moment ago still looked alive; one that we started ourselves is broken.
                if not ended or ended & set(started):
                    raise
            else:
                return

    def _start_all(self, started: list[str], progress: Callable[[str], None]) -> None:
        command = self.topology.chaincode.command
        wanted = {ENGINE: (self._nodes.engine_command(), engine_environment())}
        for item in self.topology.organizations:
            wanted[chaincode_node(item.name)] = (command, self._nodes.chaincode_environment(item.name))
        for name, (arguments, environment) in wanted.items():
            if self._processes.find(name) is None:
                started.append(name)
            if self._processes.ensure(name, arguments, environment):
                progress(f"{name} started")

    def _wait_until_healthy(self, progress: Callable[[str], None]) -> None:
        told: set[str] = set()

        def healthy() -> bool:
            for name in self._nodes.names()[1:]:
                if self._processes.find(name) is None:
                    self._processes.wait_until_ready(name, lambda: False, 0)
            failed = self._paced_health()
            if ENGINE_COMPONENT in failed:
                return False
            for item in self.topology.organizations:
                if chaincode_component(item.name) not in failed and item.name not in told:
                    told.add(item.name)
                    progress(f"peer of {item.name} connected to its chaincode")
            return not failed

        self._processes.wait_until_ready(ENGINE, healthy, UP_SECONDS)

    def _health(self) -> dict[str, str]:
        return read_health(self.topology.host, self._ports[OPERATIONS])

    def _paced_health(self) -> dict[str, str]:
        time.sleep(_HEALTH_SECONDS)
        return self._health()
