"""A network's nodes as processes: each can be started alone, and asked whether it can be used."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fabric_native.authorities import Authorities
from fabric_native.endpoints import Endpoints
from fabric_native.material import write_authority_config
from fabric_native.membership import peer_client
from fabric_native.node_config import node_environment, write_config
from fabric_native.nodes import Kind, Node, chaincode, network_nodes, orderer
from fabric_native.paths import NetworkPaths
from fabric_native.peer_client import PeerClient
from fabric_native.ports import ADMIN, OPERATIONS, node_ports
from fabric_native.rest import ChannelParticipation, is_healthy
from fabric_native.settings import EngineSettings
from fabric_native.tls import client_context
from fabric_operator.errors import ProcessError
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Organization, Topology

READY_SECONDS = 60.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Nodes:
    """The network's nodes as processes; each can be started alone."""

    paths: NetworkPaths
    topology: Topology
    ports: Mapping[str, int]
    settings: EngineSettings
    processes: ProcessKeeper

    def all(self) -> list[Node]:
        """Every node that runs here."""
        nodes = network_nodes(self.topology, self.settings.chaincode_generation)
        here = {item.name for item in self.operated}
        return [*(node for node in nodes if node.organization in here), *self.retiring]

    @property
    def retiring(self) -> list[Node]:
        """Chaincode services that a newer generation is about to replace."""
        if not self.settings.retiring:
            return []
        return [chaincode(item, self.settings.chaincode_generation - 1) for item in self.operated]

    @property
    def operated(self) -> tuple[Organization, ...]:
        """The organizations whose nodes run here: all, or the one that a bundle is for."""
        return self.settings.operated(self.topology)

    @property
    def endpoints(self) -> Endpoints:
        """Where the nodes listen, and where they are reached."""
        return Endpoints(self.topology, self.ports, on_own_machine=self.settings.organization is not None)

    def service(self, organization: Organization) -> Node:
        """The chaincode service that an organization uses now."""
        return chaincode(organization, self.settings.chaincode_generation)

    @property
    def authorities(self) -> Authorities:
        """The CA servers among them."""
        return Authorities(self.paths, self.endpoints, self.settings, self.processes)

    def start(self, node: Node, command: Sequence[str] | None = None) -> bool:
        """Start a node; one that already runs the same is kept.

        Parameters:
            node: which.
            command: in place of the topology's, for a chaincode service.

        Returns:
            Whether it had to be started.

        Raises:
            ProcessError, BinariesNotFoundError: it cannot be started.
        """
        if node.kind in (Kind.PEER, Kind.ORDERER):
            write_config(self.paths, self.endpoints, node)
        elif node.kind == Kind.AUTHORITY:
            write_authority_config(self.paths, self.endpoints, node)
        arguments = tuple(command or self.command(node))
        return self.processes.ensure(node.name, arguments, self.environment(node))

    def command(self, node: Node) -> tuple[str, ...]:
        """Program and arguments of a node.

        Raises:
            BinariesNotFoundError: BINARIES_MISSING, VERSION_UNFIT.
        """
        match node.kind:
            case Kind.AUTHORITY:
                return self.settings.authority(self.paths.node(node).directory)
            case Kind.CHAINCODE:
                return self.topology.chaincode.command
            case Kind.PEER:
                return self.settings.command("peer", "node", "start")
        return self.settings.command("orderer")

    def environment(self, node: Node) -> dict[str, str]:
        """Variables that a node needs.

        Raises:
            MaterialError: MATERIAL_UNREADABLE, the package id of a chaincode service.
        """
        match node.kind:
            case Kind.AUTHORITY:
                return {}
            case Kind.CHAINCODE:
                files = self.paths.organization(node.organization).chaincode(node)
                return files.environment(self.endpoints.address(node))
        return node_environment(self.paths, node)

    def wait(self, node: Node) -> None:
        """Wait until a node can be used.

        Raises:
            ProcessError: it ended or did not get ready in time; with the tail of its log.
        """
        if node.kind == Kind.AUTHORITY:
            self.authorities.wait(self.topology.organization(node.organization))
            return
        context = self._context(node.organization)
        # Health is told before all the endpoints listen.
        listening = [self._listener(node, name) for name in node_ports(node) if not name.endswith(OPERATIONS)]
        has_operations = f"{node.name}/{OPERATIONS}" in self.ports

        def ready() -> bool:
            healthy = not has_operations or is_healthy(self.endpoints.internal(node, OPERATIONS), context)
            return healthy and all(listens(*address) for address in listening)

        self.wait_until(node, ready)

    def wait_until(self, node: Node, ready: Callable[[], bool]) -> None:
        """Wait for `ready`, watching the node's process unless somebody else runs it; raises as `wait`."""
        if self.processes.is_recorded(node.name) or self.settings.organization is None:
            self.processes.wait_until_ready(node.name, ready, READY_SECONDS)
            return
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                raise ProcessError(
                    "PROCESS_NOT_READY",
                    f"{node.name} was not ready after {READY_SECONDS:g} s: is it started?",
                )
            time.sleep(_POLL_SECONDS)

    def listeners(self, node: Node) -> list[tuple[str, tuple[str, int]]]:
        """Name of each of a node's ports, with the host and the port that it listens on."""
        return [(name, self._listener(node, name)) for name in node_ports(node)]

    def participation(self, organization: Organization) -> ChannelParticipation:
        """The channels of an organization's ordering node."""
        address = self.endpoints.internal(orderer(organization), ADMIN)
        return ChannelParticipation(address, self._context(organization.name))

    def client(self, node: Node) -> PeerClient:
        """A connection to a peer, as its organization's administrator."""
        return peer_client(self.paths, self.endpoints, node)

    def _listener(self, node: Node, name: str) -> tuple[str, int]:
        if name == node.name:
            return self.endpoints.listener(node)
        return self.topology.host, self.ports[name]

    def _context(self, organization: str) -> ssl.SSLContext:
        files = self.paths.organization(organization)
        return client_context(files.tls_ca.certificate.read_bytes(), files.admin.tls)


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False
