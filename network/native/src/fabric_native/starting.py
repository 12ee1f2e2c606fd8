"""Starting a network's nodes in their order, and waiting until the network can be used."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fabric_native.authorities import Authorities
from fabric_native.errors import AdministrationError
from fabric_native.membership import administrator, deployment, peer_client
from fabric_native.node_config import TIME_WINDOW, node_environment, write_config
from fabric_native.nodes import Kind, Node, chaincode, network_nodes, orderer, peers
from fabric_native.paths import NetworkPaths
from fabric_native.peer_client import PeerClient
from fabric_native.ports import ADMIN, OPERATIONS, node_ports
from fabric_native.rest import ChannelParticipation, is_healthy
from fabric_native.settings import EngineSettings
from fabric_native.tls import client_context
from fabric_operator.errors import NetworkError, ProcessError
from fabric_operator.processes import ProcessKeeper
from fabric_operator.reconfiguration import OrderingNode, read_configuration
from fabric_protocol.lifecycle_arguments import wanted_definition
from fabric_protocol.network_profile import SERVER_NAME
from fabric_protocol.topology import Organization, Topology

READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
# Older than any clock in this consortium may be: a peer that endorses it does not check.
_STALE = timedelta(hours=1)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Nodes:
    """The network's nodes as processes; each can be started alone."""

    paths: NetworkPaths
    topology: Topology
    ports: Mapping[str, int]
    settings: EngineSettings
    processes: ProcessKeeper

    def all(self) -> list[Node]:
        """Every node that belongs to the network now."""
        return network_nodes(self.topology, self.settings.chaincode_generation)

    def service(self, organization: Organization) -> Node:
        """The chaincode service that an organization uses now."""
        return chaincode(organization, self.settings.chaincode_generation)

    @property
    def authorities(self) -> Authorities:
        """The CA servers among them."""
        return Authorities(self.paths, self.topology, self.ports, self.settings, self.processes)

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
        match node.kind:
            case Kind.AUTHORITY:
                home = self.paths.node(node).directory
                return self.processes.ensure(node.name, self.settings.authority(home), {})
            case Kind.CHAINCODE:
                arguments = tuple(command or self.topology.chaincode.command)
                return self.processes.ensure(node.name, arguments, self._chaincode_environment(node))
        write_config(self.paths, self.topology, node, self.ports)
        arguments = ("node", "start") if node.kind == Kind.PEER else ()
        command_line = self.settings.command(str(node.kind), *arguments)
        return self.processes.ensure(node.name, command_line, node_environment(self.paths, node))

    def wait(self, node: Node) -> None:
        """Wait until a node can be used.

        Raises:
            ProcessError: it ended or did not get ready in time; with the tail of its log.
        """
        if node.kind == Kind.AUTHORITY:
            self.authorities.wait(self.topology.organization(node.organization))
            return
        host, context = self.topology.host, self._context(node.organization)
        # Health is told before all the endpoints listen.
        listening = [self.ports[name] for name in node_ports(node) if not name.endswith(OPERATIONS)]
        operations = self.ports.get(f"{node.name}/{OPERATIONS}")

        def ready() -> bool:
            healthy = operations is None or is_healthy(f"{host}:{operations}", context)
            return healthy and all(_listens(host, port) for port in listening)

        self.processes.wait_until_ready(node.name, ready, READY_SECONDS)

    def participation(self, organization: Organization) -> ChannelParticipation:
        """The channels of an organization's ordering node."""
        address = f"{self.topology.host}:{self.ports[f'{orderer(organization).name}/{ADMIN}']}"
        return ChannelParticipation(address, self._context(organization.name))

    def client(self, node: Node) -> PeerClient:
        """A connection to a peer, as its organization's administrator."""
        return peer_client(self.paths, self.topology, self.ports, node)

    def _context(self, organization: str) -> ssl.SSLContext:
        files = self.paths.organization(organization)
        return client_context(files.tls_ca.certificate.read_bytes(), files.admin.tls)

    def _chaincode_environment(self, node: Node) -> dict[str, str]:
        address = f"{self.topology.host}:{self.ports[node.name]}"
        return self.paths.organization(node.organization).chaincode(node).environment(address)


def start_network(nodes: Nodes, started: list[str], progress: Progress) -> None:
    """Start what does not run yet, and wait until every organization can endorse.

    Parameters:
        nodes: of the network.
        started: told the names of what was started, at once.
        progress: told a sentence for each step.
    """
    organizations = nodes.topology.organizations
    first = [node for item in organizations for node in (orderer(item), *peers(item))]
    services = [nodes.service(item) for item in organizations]
    started += nodes.authorities.start()
    # All at once: each of them takes a second of its own to begin.
    started += [node.name for node in [*first, *services] if nodes.start(node)]
    for node in first:
        nodes.wait(node)
    progress(f"{len(first)} ordering nodes and peers run")
    _join(nodes, organizations, progress)
    for item in organizations:
        wait_for_ordering(nodes, item)
    for node in services:
        nodes.wait(node)
    progress("the chaincode services run")
    deploy(nodes, progress)


def deploy(nodes: Nodes, progress: Progress) -> None:
    """Put the topology's chaincode definition in force, and wait until every organization can endorse.

    Raises:
        AdministrationError: a peer or the ordering nodes refused.
        ProcessError: the peers do not hear of one another.
    """
    generation = nodes.settings.chaincode_generation
    with deployment(nodes.paths, nodes.topology, nodes.ports, generation) as channel:
        channel.run(wanted_definition(nodes.topology.chaincode), progress)
        clients = [client for member in channel.members for client in member.peers]
        for client in clients:
            require_time_window(client, nodes.topology.channel)
        _wait_for_discovery(nodes.topology, clients)
    progress("every organization's peers can endorse")


def join_peer(nodes: Nodes, node: Node, block: bytes) -> bool:
    """Have a peer join the channel; False when it had."""
    with nodes.client(node) as client:
        channels = client.channels()
        if nodes.topology.channel in channels:
            return False
        client.join(block)
        return True


def require_time_window(client: PeerClient, channel: str) -> None:
    """Check that a peer refuses what claims another time (DESIGN §7).

    Raises:
        AdministrationError: TIME_WINDOW_MISSING.
    """
    try:
        stale = datetime.now(UTC) - _STALE
        client.propose(channel, "qscc", [b"GetChainInfo", channel.encode()], timestamp=stale)
    except AdministrationError as refusal:
        if "incorrect timestamp" in refusal.message:
            return
        raise
    raise AdministrationError(
        "TIME_WINDOW_MISSING",
        f"{client.name} endorses proposals of any time: list TimeWindowCheck among its authFilters, with "
        f"peer.authentication.timewindow {TIME_WINDOW}",
    )


def _join(nodes: Nodes, organizations: Sequence[Organization], progress: Progress) -> None:
    genesis = nodes.paths.genesis.read_bytes()
    joined = 0
    for item in organizations:
        participation = nodes.participation(item)
        if participation.status(nodes.topology.channel) is None:
            participation.join(genesis)
            joined += 1
    # One after another: peers that join at once leave gossip incomplete for a while.
    joined += sum(join_peer(nodes, node, genesis) for item in organizations for node in peers(item))
    if joined:
        progress(f"{joined} nodes joined channel {nodes.topology.channel}")


def wait_for_ordering(nodes: Nodes, organization: Organization) -> None:
    """Wait until an ordering node takes part: with Raft it refuses everything while there is no leader.

    Raises:
        ProcessError: it ended or did not get ready in time; with the tail of its log.
    """
    roots = nodes.paths.organization(organization.name).tls_ca.certificate.read_bytes()
    endpoint = f"{nodes.topology.host}:{nodes.ports[orderer(organization).name]}"
    node = OrderingNode(endpoint, roots, SERVER_NAME)
    signer = administrator(nodes.paths, organization)

    def orders() -> bool:
        try:
            read_configuration([node], nodes.topology.channel, signer, must_order=True)
        except NetworkError:
            return False
        return True

    nodes.processes.wait_until_ready(orderer(organization).name, orders, READY_SECONDS)


def _wait_for_discovery(topology: Topology, clients: Sequence[PeerClient]) -> None:
    wanted = {item.msp_id: item.peers for item in topology.organizations}
    deadline = time.monotonic() + READY_SECONDS
    for client in clients:
        while True:
            known = client.chaincodes_by_organization(topology.channel)
            missing = [
                msp_id
                for msp_id, count in wanted.items()
                if sum(topology.chaincode.name in offered for offered in known.get(msp_id, ())) < count
            ]
            if not missing:
                break
            if time.monotonic() > deadline:
                raise ProcessError(
                    "PROCESS_NOT_READY",
                    f"{client.name} does not know of endorsing peers of {', '.join(missing)} after "
                    f"{READY_SECONDS:g} s; see the logs of the peers",
                )
            time.sleep(_POLL_SECONDS)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False
