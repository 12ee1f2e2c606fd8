"""Where a network's nodes listen, and where they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric_native.nodes import Kind, Node
from fabric_protocol.topology import Topology

_EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - what other organizations reach, on a machine of its own


@dataclass(frozen=True)
class Endpoints:
    """Addresses of all nodes.

    Parameters:
        topology: of the network.
        ports: of the network.
        on_own_machine: an organization's bundle runs where its own host is; else everything is on the machine
            that made the network, where CAs are reached at the topology's host.
    """

    topology: Topology
    ports: Mapping[str, int]
    on_own_machine: bool = False

    def address(self, node: Node) -> str:
        """Host and port at which a node's clients reach it."""
        return f"{self.host(node)}:{self.ports[node.name]}"

    def host(self, node: Node) -> str:
        """The host of `address`."""
        is_local = node.kind == Kind.CHAINCODE or (node.kind == Kind.AUTHORITY and not self.on_own_machine)
        return self.topology.host if is_local else self.topology.host_of(node.organization)

    def listener(self, node: Node) -> tuple[str, int]:
        """Host and port that a node listens on for its clients."""
        host = self.host(node)
        # A machine need not know itself by the address at which others reach it.
        is_everywhere = self.on_own_machine and host != self.topology.host
        return _EVERY_INTERFACE if is_everywhere else host, self.ports[node.name]

    def internal(self, node: Node, purpose: str) -> str:
        """Host and port of what only its own machine reaches: operations, an ordering node's admin."""
        return f"{self.topology.host}:{self.ports[f'{node.name}/{purpose}']}"
