"""A network of real Fabric in a directory: a process for each CA, orderer, peer and chaincode service.

network = NativeNetwork.create(Path("consortium"), topology)
network.up(print)
…
network.down()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fabric_native.connection_profile import holds_network
from fabric_native.creation import create_network, network_directory, process_keeper
from fabric_native.nodes import Kind, Node, peers
from fabric_native.operations import (
    add_organization,
    add_peer,
    remove_organization,
    rotate_certificates,
    upgrade_chaincode,
)
from fabric_native.paths import NetworkPaths
from fabric_native.ports import node_ports
from fabric_native.settings import EngineSettings
from fabric_native.starting import Nodes, start_network
from fabric_operator.errors import NetworkError
from fabric_operator.managed_network import ManagedNetwork, open_topology, silent
from fabric_operator.node_status import NodeStatus
from fabric_operator.ports import read_ports, require_free
from fabric_protocol.topology import Topology

# Clients of a node end before it.
_DOWN_ORDER = (Kind.PEER, Kind.CHAINCODE, Kind.ORDERER, Kind.AUTHORITY)


class NativeNetwork(ManagedNetwork):
    """A network's directory and processes.

    Parameters:
        directory: absolute path of the network's directory.
        topology: what `create` was given.
    """

    RESERVED = tuple(f"{kind}-" for kind in Kind)

    def __init__(self, directory: Path, topology: Topology) -> None:
        paths = NetworkPaths(directory)
        super().__init__(paths, topology, network_directory(paths), process_keeper(paths))
        self._ports = read_ports(paths.ports)
        settings = EngineSettings.read(paths.settings)
        self._nodes = Nodes(paths, topology, self._ports, settings, self._processes)

    @classmethod
    def create(
        cls,
        directory: Path,
        topology: Topology,
        progress: Callable[[str], None] = silent,
        *,
        binaries: Path | None = None,
        authority_fallback: Sequence[str] = (),
    ) -> NativeNetwork:
        """Make identities, genesis block, ports and profile; of the nodes only the CAs run afterwards.

        Parameters:
            directory: where the network will live.
            topology: what it is.
            progress: told a sentence for each step.
            binaries: directory in which Fabric's binaries are looked for first; remembered.
            authority_fallback: command that serves a CA from the home directory appended to it, where
                Fabric CA's server is not found.

        Raises:
            BinariesNotFoundError: BINARIES_MISSING, VERSION_UNFIT.
            NetworkError: NETWORK_EXISTS, DIRECTORY_IN_USE, NO_FREE_PORTS.
            AuthorityError, ProcessError: the CAs did not start, or did not issue.
        """
        paths = create_network(directory, topology, binaries, authority_fallback, progress)
        return cls(paths.directory, topology)

    @classmethod
    def load(cls, directory: Path) -> NativeNetwork:
        """Open a network that `create` made.

        Raises:
            NetworkError: NETWORK_NOT_FOUND.
            TopologyError: its topology was altered into something else.
        """
        paths = NetworkPaths(directory.absolute())
        topology = open_topology(paths, held=holds_network(paths.directory), kind="network of real Fabric")
        return cls(paths.directory, topology)

    def status(self) -> list[NodeStatus]:
        """State of every node, and of whatever else was started."""
        return self._states(
            lambda name: f"{self.topology.host}:{self._ports[name]}" if name in self._ports else ""
        )

    def node_names(self) -> list[str]:
        """Names of all nodes, in the order in which they start."""
        return [node.name for node in self._nodes.all()]

    def start_node(self, name: str) -> None:
        """Start a node; returns when it can be used.

        Raises:
            NetworkError: NODE_UNKNOWN.
            ProcessError: it ended or did not get ready in time; with the tail of its log.
        """
        node = self._node(name)
        self._nodes.start(node)
        self._nodes.wait(node)

    def add_organization(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Take in an organization; see `fabric_native.operations.add_organization`."""
        self._operate(lambda: add_organization(self._nodes, topology, progress))

    def remove_organization(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Let an organization go; see `fabric_native.operations.remove_organization`."""
        self._operate(lambda: remove_organization(self._nodes, topology, progress))

    def upgrade_chaincode(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Put another version of the chaincode in force; see `fabric_native.operations.upgrade_chaincode`."""
        self._operate(lambda: upgrade_chaincode(self._nodes, topology, progress))

    def add_peer(self, organization: str, progress: Callable[[str], None] = silent) -> None:
        """Start another peer of an organization by a snapshot; see `fabric_native.operations.add_peer`."""
        self._operate(lambda: add_peer(self._nodes, organization, progress))

    def rotate_certificates(self, name: str, progress: Callable[[str], None] = silent) -> None:
        """Give a peer or an ordering node new certificates; see `fabric_native.operations`.

        Raises:
            NetworkError: NODE_UNKNOWN, also for a node of another kind.
        """
        node = self._node(name)
        if node.kind not in (Kind.PEER, Kind.ORDERER):
            raise NetworkError(
                "NODE_UNKNOWN",
                f"{name} is a {node.kind}: peers and ordering nodes get new certificates so, "
                "a chaincode service by an upgrade",
            )
        with self._whole.locked():
            rotate_certificates(self._nodes, node, progress)

    def start_chaincode(self, organization: str, command: Sequence[str] | None = None) -> None:
        """Start an organization's chaincode service, in place of one that runs.

        Parameters:
            organization: its name or MSP id.
            command: another command on the same address, package id and certificates; None is the topology's.

        Raises:
            ProcessError: the service ended or was not ready in time; with the tail of its log.
        """
        node = self._nodes.service(self.topology.organization(organization))
        self._processes.stop([node.name])
        self._nodes.start(node, command)
        self._nodes.wait(node)

    def stop_chaincode(self, organization: str) -> None:
        """End an organization's chaincode service."""
        self._processes.stop([self._nodes.service(self.topology.organization(organization)).name])

    def read_blocks(self) -> Iterator[bytes]:
        """The channel's blocks, as the first organization's first peer stores them; it must run.

        Raises:
            AdministrationError: PEER_UNREACHABLE, PEER_REFUSED.
        """
        with self._nodes.client(peers(self.topology.organizations[0])[0]) as client:
            yield from client.blocks(self.topology.channel)

    def _start_nodes(self, started: list[str], progress: Callable[[str], None]) -> None:
        idle = [node for node in self._nodes.all() if self._processes.find(node.name) is None]
        require_free(self.topology.host, self._ports, [name for node in idle for name in node_ports(node)])
        start_network(self._nodes, started, progress)

    def _down_order(self) -> list[list[str]]:
        return [[node.name for node in self._nodes.all() if node.kind == kind] for kind in _DOWN_ORDER]

    def _node(self, name: str) -> Node:
        self.require_node(name)
        return next(node for node in self._nodes.all() if node.name == name)

    def _operate(self, operation: Callable[[], Nodes]) -> None:
        with self._whole.locked():
            self._nodes = operation()
            self.topology, self._ports = self._nodes.topology, dict(self._nodes.ports)
