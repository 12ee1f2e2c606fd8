"""A network of real Fabric in a directory: a process for each CA, orderer, peer and chaincode service.

network = NativeNetwork.create(Path("consortium"), topology)
network.up(print)
…
network.down()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fabric_native.connection_profile import holds_network
from fabric_native.creation import create_network, network_directory, process_keeper
from fabric_native.material import read_registrar
from fabric_native.membership import administrator
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
from fabric_operator.node_control import NodeControl
from fabric_operator.node_status import DIED, RUNNING, STOPPED, NodeStatus
from fabric_operator.ports import is_free, read_ports
from fabric_operator.reconfiguration import change_configuration, read_ordering_nodes
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.topology import Topology

# Clients of a node end before it.
_DOWN_ORDER = (Kind.PEER, Kind.CHAINCODE, Kind.ORDERER, Kind.AUTHORITY)


def _silent(_message: str) -> None:
    """Report progress to nobody."""


class NativeNetwork(NodeControl):
    """A network's directory and processes.

    Parameters:
        directory: absolute path of the network's directory.
        topology: what `create` was given.
    """

    RESERVED = tuple(f"{kind}-" for kind in Kind)

    def __init__(self, directory: Path, topology: Topology) -> None:
        self.directory = directory
        self.topology = topology
        self._paths = NetworkPaths(directory)
        self._ports = read_ports(self._paths.ports)
        self._whole = network_directory(self._paths)
        super().__init__(process_keeper(self._paths))
        settings = EngineSettings.read(self._paths.settings)
        self._nodes = Nodes(self._paths, topology, self._ports, settings, self._processes)

    @classmethod
    def create(
        cls,
        directory: Path,
        topology: Topology,
        progress: Callable[[str], None] = _silent,
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
        if not holds_network(directory):
            raise NetworkError(
                "NETWORK_NOT_FOUND", f"{directory} holds no network of real Fabric: create one there first"
            )
        paths = NetworkPaths(directory.absolute())
        return cls(paths.directory, Topology.from_json(paths.topology.read_bytes()))

    def up(self, progress: Callable[[str], None] = _silent) -> None:
        """Start what does not run yet; returns when every organization can endorse.

        Interrupted or failed, it ends what it started itself.

        Raises:
            NetworkError: PORT_TAKEN, NETWORK_BUSY.
            ProcessError: a node ended or did not get ready; with the tail of its log.
            AdministrationError: a node refused what its administrator asked.
        """
        started: list[str] = []
        begin = time.monotonic()
        with self._whole.locked():
            try:
                self._require_ports()
                start_network(self._nodes, started, progress)
            except BaseException:
                self._processes.stop(started)
                raise
        progress(f"network ready after {time.monotonic() - begin:.1f} s")

    def down(self) -> None:
        """End every process, the clients first; ledgers and keys stay.

        Raises:
            NetworkError: NETWORK_BUSY.
        """
        with self._whole.locked():
            own = {node.name: node.kind for node in self._nodes.all()}
            names = [record.name for record in self._processes.recorded()]
            self._processes.stop([name for name in names if name not in own])
            for kind in _DOWN_ORDER:
                self._processes.stop([name for name in names if own.get(name) == kind])

    def destroy(self) -> None:
        """End every process and remove the network's files; what others put into the directory stays.

        Raises:
            NetworkError: NETWORK_BUSY.
        """
        self.down()
        self._whole.remove()

    def status(self) -> list[NodeStatus]:
        """State of every node, and of whatever else was started."""
        nodes = {node.name: node for node in self._nodes.all()}
        recorded = [record.name for record in self._processes.recorded()]
        return [self._status(name, nodes.get(name), recorded) for name in dict.fromkeys([*nodes, *recorded])]

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

    def add_organization(self, topology: Topology, progress: Callable[[str], None] = _silent) -> None:
        """Take in an organization; see `fabric_native.operations.add_organization`."""
        self._operate(lambda: add_organization(self._nodes, topology, progress))

    def remove_organization(self, topology: Topology, progress: Callable[[str], None] = _silent) -> None:
        """Let an organization go; see `fabric_native.operations.remove_organization`."""
        self._operate(lambda: remove_organization(self._nodes, topology, progress))

    def upgrade_chaincode(self, topology: Topology, progress: Callable[[str], None] = _silent) -> None:
        """Put another version of the chaincode in force; see `fabric_native.operations.upgrade_chaincode`."""
        self._operate(lambda: upgrade_chaincode(self._nodes, topology, progress))

    def add_peer(self, organization: str, progress: Callable[[str], None] = _silent) -> None:
        """Start another peer of an organization by a snapshot; see `fabric_native.operations.add_peer`."""
        self._operate(lambda: add_peer(self._nodes, organization, progress))

    def rotate_certificates(self, name: str, progress: Callable[[str], None] = _silent) -> None:
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

    def registrar(self, organization: str) -> tuple[str, str]:
        """Enrolment id and secret of the registrar of an organization's CA (by name or MSP id).

        Raises:
            MaterialError: MATERIAL_UNREADABLE.
        """
        return read_registrar(self._paths.organization(self.topology.organization(organization).name))

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
        signers = [administrator(self._paths, self.topology.organization(name)) for name in organizations]
        nodes = read_ordering_nodes(self.directory)
        return change_configuration(nodes, self.topology.channel, signers, change)

    def read_blocks(self) -> Iterator[bytes]:
        """The channel's blocks, as the first organization's first peer stores them; it must run.

        Raises:
            AdministrationError: PEER_UNREACHABLE, PEER_REFUSED.
        """
        with self._nodes.client(peers(self.topology.organizations[0])[0]) as client:
            yield from client.blocks(self.topology.channel)

    def anchor(self) -> str:
        """Hex SHA-256 of the genesis block's header: what a verifier keeps outside the ledger."""
        block = parse_block(self._paths.genesis.read_bytes())
        return header_hash(block.header).hex()

    def _status(self, name: str, node: Node | None, recorded: Sequence[str]) -> NodeStatus:
        record = self._processes.find(name)
        if record is not None:
            detail = "" if node is None else f"{self.topology.host}:{self._ports[node.name]}"
            return NodeStatus(name, RUNNING, record.pid, detail)
        if name in recorded:
            return NodeStatus(name, DIED, None, "see its log")
        return NodeStatus(name, STOPPED, None, "")

    def _node(self, name: str) -> Node:
        self.require_node(name)
        return next(node for node in self._nodes.all() if node.name == name)

    def _operate(self, operation: Callable[[], Nodes]) -> None:
        with self._whole.locked():
            self._nodes = operation()
            self.topology, self._ports = self._nodes.topology, dict(self._nodes.ports)

    def _require_ports(self) -> None:
        idle = [node for node in self._nodes.all() if self._processes.find(node.name) is None]
        names = [name for node in idle for name in node_ports(node)]
        host = self.topology.host
        taken = [f"{self._ports[name]} ({name})" for name in names if not is_free(host, self._ports[name])]
        if taken:
            raise NetworkError(
                "PORT_TAKEN",
                f"another process listens on {', '.join(taken)} of {host}: end it, or make a new network",
            )
