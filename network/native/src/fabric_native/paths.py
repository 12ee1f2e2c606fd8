"""Where everything of a network of real Fabric lies, relative to its directory; nothing is read or made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric_native.nodes import Node
from fabric_operator import network_paths
from fabric_operator.chaincode_service import ChaincodeServiceFiles
from fabric_operator.private_files import KeyPair


@dataclass(frozen=True)
class NodePaths:
    """Files of one node, below `organizations/<organization>/<node>/`."""

    directory: Path

    @property
    def msp(self) -> Path:
        """Its MSP directory, in the layout that Fabric's programs read."""
        return self.directory / "msp"

    @property
    def identity(self) -> KeyPair:
        """Its signing identity, inside the MSP directory."""
        return KeyPair(self.msp / "signcerts" / "certificate.pem", self.msp / "keystore" / "key.pem")

    @property
    def tls(self) -> KeyPair:
        """Its TLS pair, as a server and as a client."""
        return KeyPair.within(self.directory / "tls")

    @property
    def data(self) -> Path:
        """Its ledger."""
        return self.directory / "data"

    @property
    def next(self) -> NodePaths:
        """Certificates that it has not taken yet."""
        return NodePaths(self.directory / "new")


@dataclass(frozen=True)
class OrganizationPaths(network_paths.OrganizationPaths):
    """Files of one organization, below `organizations/<name>/`."""

    @property
    def registrar(self) -> Path:
        """JSON {"id", "secret"} of the bootstrap registrar of both CAs (mode 0600)."""
        return self.directory / "registrar.json"

    @property
    def admin(self) -> NodePaths:
        """The administrator: MSP directory for Fabric's programs, and a TLS client pair."""
        return NodePaths(self.directory / "admin")

    @property
    def administrator(self) -> KeyPair:
        """The administrator's signing identity (OU admin)."""
        return self.admin.identity

    @property
    def peer_client_tls(self) -> KeyPair:
        """TLS client pair with which the organization's peers dial its chaincode service."""
        return KeyPair.within(self.directory / "peer-client-tls")

    def chaincode(self, service: Node) -> ChaincodeServiceFiles:
        """Files of a chaincode service."""
        own = self.node(service)
        return ChaincodeServiceFiles(
            tls=own.tls,
            peer_client_tls=self.peer_client_tls,
            tls_root=self.tls_ca.certificate,
            package=own.directory / "package.tar.gz",
            package_id=own.directory / "package-id.txt",
        )

    def node(self, node: Node) -> NodePaths:
        """Files of one of its nodes."""
        return NodePaths(self.directory / node.name)


@dataclass(frozen=True)
class NetworkPaths(network_paths.NetworkPaths):
    """Files of one network, below its directory."""

    @property
    def settings(self) -> Path:
        """`engine.json`: how the network's programs are found."""
        return self.directory / "engine.json"

    @property
    def builder(self) -> Path:
        """Directory of the external builder with which peers take chaincode packages of type ccaas."""
        return self.directory / "builder"

    def organization(self, name: str) -> OrganizationPaths:
        """Files of the organization `name` (its name in the topology, not its MSP id)."""
        return OrganizationPaths(self.organizations / name)

    def node(self, node: Node) -> NodePaths:
        """Files of a node."""
        return self.organization(node.organization).node(node)
