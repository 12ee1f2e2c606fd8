"""Which processes a network consists of: their names, commands, environments and ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric_embedded.health import chaincode_component
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS, ORDERER, ca_port, chaincode_port, peer_port
from fabric_operator.ports import require_free
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Topology

ENGINE = "engine"
CHAINCODE_PREFIX = "chaincode-"


@dataclass(frozen=True)
class NetworkNodes:
    """The network's own processes: the engine, and one chaincode service for each organization."""

    paths: NetworkPaths
    topology: Topology
    ports: Mapping[str, int]
    processes: ProcessKeeper

    def names(self) -> list[str]:
        """The engine first: it takes longest to get ready."""
        return [ENGINE, *(chaincode_node(item.name) for item in self.topology.organizations)]

    def engine_command(self) -> tuple[str, ...]:
        """Command that serves the network's directory."""
        return ("python", "-m", "fabric_embedded", "serve", str(self.paths.directory))

    def chaincode_environment(self, organization: str) -> dict[str, str]:
        """Environment of an organization's chaincode service."""
        address = f"{self.topology.host}:{self.ports[chaincode_port(organization)]}"
        return self.paths.organization(organization).chaincode.environment(address)

    def require_ports(self) -> None:
        """Name whoever took a port of a process that is to start, before a log has to.

        Raises:
            NetworkError: PORT_TAKEN.
        """
        names = []
        if self.processes.find(ENGINE) is None:
            each = [port(item.name) for item in self.topology.organizations for port in (peer_port, ca_port)]
            names += [OPERATIONS, ORDERER, *each]
        names += [
            chaincode_port(item.name)
            for item in self.topology.organizations
            if self.processes.find(chaincode_node(item.name)) is None
        ]
        require_free(self.topology.host, self.ports, names)


def chaincode_node(organization: str) -> str:
    """Name of the process of an organization's chaincode service."""
    return CHAINCODE_PREFIX + organization


def node_component(name: str) -> str:
    """What the engine's health calls a process."""
    organization = name.removeprefix(CHAINCODE_PREFIX)
    return name if organization == name else chaincode_component(organization)
