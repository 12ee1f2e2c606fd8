"""Which processes a network consists of: their names, commands, environments and ports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from fabric_embedded.health import chaincode_component
from fabric_embedded.material import read_package_id
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS, ORDERER, ca_port, chaincode_port, peer_port
from fabric_operator.errors import NetworkError
from fabric_operator.node_status import NodeStatus
from fabric_operator.ports import is_free
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Topology

ENGINE = "engine"
# gRPC's older event loop hands messages from thread to thread less often: a quarter less CPU a call, measured
# with grpcio 1.85. It is chosen when gRPC is loaded; a version that has only one ignores the choice.
_GRPC_EXPERIMENTS = "-event_engine_listener,-event_engine_client"
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
        """Environment of an organization's chaincode service, as chaincode-as-a-service has it by custom."""
        files = self.paths.organization(organization)
        return {
            "CORE_CHAINCODE_ID": read_package_id(files),
            "CHAINCODE_SERVER_ADDRESS": f"{self.topology.host}:{self.ports[chaincode_port(organization)]}",
            "CHAINCODE_TLS_DISABLED": "false",
            "CHAINCODE_TLS_KEY": str(files.chaincode.key),
            "CHAINCODE_TLS_CERT": str(files.chaincode.certificate),
            "CHAINCODE_CLIENT_CA_CERT": str(files.tls_ca.certificate),
            "PYTHONUNBUFFERED": "1",
        }

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
        host = self.topology.host
        taken = [f"{self.ports[name]} ({name})" for name in names if not is_free(host, self.ports[name])]
        if taken:
            raise NetworkError(
                "PORT_TAKEN",
                f"another process listens on {', '.join(taken)} of {host}: end it, or make a new network",
            )

    def status(self, health: Mapping[str, str]) -> list[NodeStatus]:
        """State of the network's own processes and of whatever else was started.

        Parameters:
            health: what the engine says is missing, by component.
        """
        recorded = [record.name for record in self.processes.recorded()]
        names = self.names()
        return [self._node(name, name in recorded, health) for name in dict.fromkeys([*names, *recorded])]

    def _node(self, name: str, recorded: bool, health: Mapping[str, str]) -> NodeStatus:
        record = self.processes.find(name)
        if record is None:
            return NodeStatus(
                name, "died" if recorded else "stopped", None, "see its log" if recorded else ""
            )
        component = name
        if is_chaincode_node(name):
            component = chaincode_component(name.removeprefix(CHAINCODE_PREFIX))
        return NodeStatus(name, "running", record.pid, health.get(component, ""))


def chaincode_node(organization: str) -> str:
    """Name of the process of an organization's chaincode service."""
    return CHAINCODE_PREFIX + organization


def is_chaincode_node(name: str) -> bool:
    """Whether a process's name is one of a chaincode service."""
    return name.startswith(CHAINCODE_PREFIX)


def engine_environment() -> dict[str, str]:
    """What the engine's process has in its environment besides this process's own."""
    return {"GRPC_EXPERIMENTS": os.environ.get("GRPC_EXPERIMENTS", _GRPC_EXPERIMENTS)}
