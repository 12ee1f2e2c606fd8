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

from fabric_embedded.connection_profile import holds_network
from fabric_embedded.health import ENGINE_COMPONENT, chaincode_component, read_health
from fabric_embedded.network_creation import create_network, network_directory
from fabric_embedded.nodes import (
    CHAINCODE_PREFIX,
    ENGINE,
    NetworkNodes,
    chaincode_node,
    node_component,
)
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS
from fabric_operator.errors import ProcessError
from fabric_operator.managed_network import ManagedNetwork, open_topology
from fabric_operator.node_status import NodeStatus
from fabric_operator.ports import read_ports
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Topology

__all__ = ["EmbeddedNetwork", "NodeStatus"]

UP_SECONDS = 60.0
_HEALTH_SECONDS = 0.03
_DISCONNECT_SECONDS = 5.0


class EmbeddedNetwork(ManagedNetwork):
    """A network's directory and processes.

    Parameters:
        directory: absolute path of the network's directory.
        topology: what `create` was given.
    """

    RESERVED = (CHAINCODE_PREFIX,)

    def __init__(self, directory: Path, topology: Topology) -> None:
        paths = NetworkPaths(directory)
        processes = ProcessKeeper(paths.run, paths.logs)
        super().__init__(paths, topology, network_directory(paths), processes)
        self._ports = read_ports(paths.ports)
        self._nodes = NetworkNodes(paths, topology, self._ports, processes)

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
        paths = NetworkPaths(directory.absolute())
        topology = open_topology(paths, held=holds_network(paths.directory), kind="embedded network")
        return cls(paths.directory, topology)

    def status(self) -> list[NodeStatus]:
        """State of the engine, the chaincode services and whatever else was started, in this order."""
        health = self._health() if self._processes.find(ENGINE) else {}
        return self._states(lambda name: health.get(node_component(name), ""))

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
        elif self._processes.ensure(ENGINE, self._nodes.engine_command(), {}):
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

    def _down_order(self) -> list[list[str]]:
        return [self.node_names()[:1], self.node_names()[1:]]

    def _start_nodes(self, started: list[str], progress: Callable[[str], None]) -> None:
        self._nodes.require_ports()
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
        nothing: dict[str, str] = {}
        wanted = {ENGINE: (self._nodes.engine_command(), nothing)}
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
