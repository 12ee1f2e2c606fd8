"""A network of real Fabric in a directory: a process for each CA, orderer, peer and chaincode service.

network = NativeNetwork.create(Path("consortium"), topology)
network.up(print)
…
network.down()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fabric_native.bundle import Machine, export_bundle, write_units
from fabric_native.connection_profile import holds_network
from fabric_native.creation import create_member, create_network, network_directory, process_keeper
from fabric_native.deployment import OTHERS_MISSING
from fabric_native.errors import AdministrationError
from fabric_native.invitation import Invitation, invite
from fabric_native.joining import await_block
from fabric_native.member_file import MemberFile, describe_member
from fabric_native.node_processes import Nodes
from fabric_native.nodes import Kind, Node, peers
from fabric_native.operations import (
    add_organization,
    add_peer,
    remove_organization,
    rotate_certificates,
    upgrade_chaincode,
)
from fabric_native.own_part import (
    add_peer as add_own_peer,
)
from fabric_native.own_part import (
    adopt,
    release,
    renew_certificates,
    settle,
    take_renewed_certificates,
    upgrade,
)
from fabric_native.paths import NetworkPaths
from fabric_native.settings import EngineSettings
from fabric_native.starting import join_network, start_node, start_nodes
from fabric_operator.errors import NetworkError
from fabric_operator.managed_network import ManagedNetwork, open_topology, silent
from fabric_operator.node_status import NodeStatus
from fabric_operator.ports import is_free, read_ports, require_free
from fabric_protocol.channel_config import Consenter
from fabric_protocol.topology import Organization, Topology

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
    def create_member(
        cls,
        directory: Path,
        invitation: Invitation,
        topology: Topology,
        name: str,
        progress: Callable[[str], None] = silent,
        *,
        binaries: Path | None = None,
        authority_fallback: Sequence[str] = (),
    ) -> NativeNetwork:
        """Make an organization's own part of a network that works without it so far; see `create`.

        Parameters:
            directory: where its part will live, on its own machine.
            invitation: from any organization of the network.
            topology: the network as it will be.
            name: of the organization, which the topology has.
            progress, binaries, authority_fallback: as for `create`.
        """
        paths = create_member(directory, invitation, topology, name, binaries, authority_fallback, progress)
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

    def join(self, progress: Callable[[str], None] = silent) -> None:
        """Have nodes that somebody else started, systemd for one, take part; returns when all can endorse.

        Raises:
            NetworkError: NETWORK_BUSY.
            ProcessError: a node is not ready.
            AdministrationError: a node refused; OTHERS_MISSING, other organizations are away.
        """
        with self._whole.locked():
            join_network(self._nodes, progress)

    @property
    def operated(self) -> tuple[Organization, ...]:
        """The organizations whose nodes run here: all, or the one that a bundle is for."""
        return self._nodes.operated

    @property
    def binaries(self) -> Path:
        """The directory of Fabric's programs that the network uses.

        Raises:
            BinariesNotFoundError: BINARIES_MISSING, VERSION_UNFIT.
        """
        return Path(self._nodes.settings.program("peer")).parent

    def status(self) -> list[NodeStatus]:
        """State of every node, and of whatever else was started."""
        addresses = {node.name: self._nodes.endpoints.address(node) for node in self._nodes.all()}
        return self._states(lambda name: addresses.get(name, ""))

    def node_names(self) -> list[str]:
        """Names of all nodes, in the order in which they start."""
        return [node.name for node in self._nodes.all()]

    def start_node(self, name: str) -> None:
        """Start a node; see `fabric_native.starting.start_node`.

        Raises:
            NetworkError: NODE_UNKNOWN.
        """
        start_node(self._nodes, self._node(name))

    def await_block(self, number: int) -> None:
        """See `ManagedNetwork.await_block`."""
        await_block(self._nodes, number)

    def add_organization(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Take in an organization; see `fabric_native.operations.add_organization`."""
        self._operate(lambda: add_organization(self._nodes, topology, progress))

    def remove_organization(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Let an organization go; see `fabric_native.operations.remove_organization`."""
        self._operate(lambda: remove_organization(self._nodes, topology, progress))

    def upgrade_chaincode(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Put another version of the chaincode in force, in a bundle as far as the others have approved it.

        See `fabric_native.operations.upgrade_chaincode`, `fabric_native.own_part.upgrade`.
        """
        if self.is_bundle:
            self._change(lambda: upgrade(self._nodes, topology, progress))
        else:
            self._operate(lambda: upgrade_chaincode(self._nodes, topology, progress))

    def add_peer(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Start another peer of an organization by a snapshot, in a bundle of its own one.

        See `fabric_native.operations.add_peer`, `fabric_native.own_part.add_peer`.
        """
        if self.is_bundle:
            self._change(lambda: add_own_peer(self._nodes, topology, progress))
        else:
            self._operate(lambda: add_peer(self._nodes, topology, progress))

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
            if node.kind == Kind.ORDERER and self.is_bundle:
                current = self.proposals(node.organization).current()
                take_renewed_certificates(self._nodes, node, current, progress)
            else:
                rotate_certificates(self._nodes, node, progress)

    @property
    def is_bundle(self) -> bool:
        """Whether the directory runs one organization's part only."""
        return self._nodes.settings.organization is not None

    def describe(self) -> MemberFile:
        """What the organization that this bundle is for says of itself to those who are to take it in."""
        self._require_bundle()
        return describe_member(self._nodes.paths, self._nodes.endpoints, self.operated[0])

    def invite(self) -> Invitation:
        """What an organization from outside needs to make its own part of the network."""
        return invite(self._nodes)

    def renew_certificates(self, name: str) -> Consenter:
        """Have an ordering node's next certificates issued; it takes them by `rotate_certificates`.

        Raises:
            NetworkError: NODE_UNKNOWN, also for a node of another kind; NOT_A_BUNDLE.
            AuthorityError: its organization's CA refused.
        """
        self._require_bundle()
        node = self._node(name)
        if node.kind != Kind.ORDERER:
            raise NetworkError(
                "NODE_UNKNOWN", f"{name} is a {node.kind}: the channel knows ordering nodes only"
            )
        with self._whole.locked():
            return renew_certificates(self._nodes, node)

    def adopt(self, member: MemberFile, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Know an organization that the channel has taken in; see `fabric_native.own_part.adopt`."""
        self._require_bundle()
        current = self.proposals(self.operated[0].name).current()
        self._change(lambda: adopt(self._nodes, member, topology, current, progress))

    def release(self, topology: Topology, progress: Callable[[str], None] = silent) -> None:
        """Approve that an organization leaves; see `fabric_native.own_part.release`."""
        self._require_bundle()
        self._change(lambda: release(self._nodes, topology, progress))

    @property
    def is_upgrading(self) -> bool:
        """Whether an old chaincode service serves on until enough organizations have approved the new one."""
        return self._nodes.settings.retiring

    def settle(self, progress: Callable[[str], None] = silent) -> None:
        """Go on with what is approved; see `fabric_native.own_part.settle`."""
        self._require_bundle()
        self._change(lambda: settle(self._nodes, progress))

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

    def export_bundle(
        self,
        organization: str,
        target: Path,
        machine: Machine,
        services: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        """Write what one organization needs to run its part on a machine of its own.

        Parameters:
            organization: its name or MSP id.
            target: directory, new or empty.
            machine: where it will run.
            services: name and command of what else that machine keeps running.

        Raises:
            NetworkError: DIRECTORY_IN_USE, NETWORK_RUNS, BUNDLE_NOT_WHOLE.
            TopologyError: ORGANIZATION_UNKNOWN.
        """
        self._require_whole()
        with self._whole.locked():
            member = self.topology.organization(organization)
            export_bundle(self._nodes, member, target.absolute(), machine, services)

    def write_units(self, services: Mapping[str, Sequence[str]] = MappingProxyType({})) -> None:
        """Write a bundle's units and compose file anew; see `fabric_native.bundle.write_units`."""
        self._require_bundle()
        with self._whole.locked():
            write_units(self._nodes, services)

    def read_blocks(self) -> Iterator[bytes]:
        """The channel's blocks, as the first peer of the first organization here stores them; it must run.

        Raises:
            AdministrationError: PEER_UNREACHABLE, PEER_REFUSED.
        """
        with self._nodes.client(peers(self._nodes.operated[0])[0]) as client:
            yield from client.blocks(self.topology.channel)

    def _start_nodes(self, started: list[str], progress: Callable[[str], None]) -> None:
        self._require_own_hosts()
        self._require_ports()
        start_nodes(self._nodes, started, progress)
        try:
            join_network(self._nodes, progress)
        except AdministrationError as error:
            if error.code == OTHERS_MISSING:
                # A bundle's nodes are what the others wait for: they go on.
                started.clear()
            raise

    def _down_order(self) -> list[list[str]]:
        return [[node.name for node in self._nodes.all() if node.kind == kind] for kind in _DOWN_ORDER]

    def _node(self, name: str) -> Node:
        self.require_node(name)
        return next(node for node in self._nodes.all() if node.name == name)

    def _operate(self, operation: Callable[[], Nodes]) -> None:
        self._require_whole()
        self._change(operation)

    def _change(self, operation: Callable[[], Nodes]) -> None:
        with self._whole.locked():
            self._nodes = operation()
            self.topology, self._ports = self._nodes.topology, dict(self._nodes.ports)

    def _require_ports(self) -> None:
        idle = [node for node in self._nodes.all() if self._processes.find(node.name) is None]
        for name, (host, _port) in (listener for node in idle for listener in self._nodes.listeners(node)):
            require_free(host, self._ports, [name])

    def _require_own_hosts(self) -> None:
        if self._nodes.settings.organization is not None:
            return
        elsewhere = [item for item in self.topology.organizations if item.host and not is_free(item.host, 0)]
        if elsewhere:
            named = ", ".join(f"{item.name} ({item.host})" for item in elsewhere)
            raise NetworkError(
                "HOST_ELSEWHERE",
                f"{named} runs on another machine: write its bundle with `consentry network export`, and "
                "start it there",
            )

    def _require_whole(self) -> None:
        if self._nodes.settings.organization is not None:
            raise NetworkError(
                "BUNDLE_NOT_WHOLE",
                f"{self.directory} is the bundle of {self._nodes.settings.organization}, without the other "
                "administrators' keys: make such a change together (consentry network proposal; "
                "docs/fabric-networks.md says how)",
            )

    def _require_bundle(self) -> None:
        if not self.is_bundle:
            raise NetworkError(
                "NOT_A_BUNDLE",
                f"{self.directory} runs all organizations: use network add, remove, upgrade and rotate",
            )
