"""Where everything of a network of real Fabric lies, relative to its directory; nothing is read or made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric_native.nodes import Node
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
        return KeyPair(self.directory / "tls" / "certificate.pem", self.directory / "tls" / "key.pem")

    @property
    def data(self) -> Path:
        """Its ledger."""
        return self.directory / "data"


@dataclass(frozen=True)
class OrganizationPaths:
    """Files of one organization, below `organizations/<name>/`."""

    directory: Path

    @property
    def ca(self) -> KeyPair:
        """Issuer of enrolment certificates: the root of the organization's MSP."""
        return KeyPair(self.directory / "ca" / "certificate.pem", self.directory / "ca" / "key.pem")

    @property
    def tls_ca(self) -> KeyPair:
        """Issuer of the organization's TLS certificates."""
        return KeyPair(self.directory / "tls-ca" / "certificate.pem", self.directory / "tls-ca" / "key.pem")

    @property
    def registrar(self) -> Path:
        """JSON {"id", "secret"} of the bootstrap registrar of both CAs (mode 0600)."""
        return self.directory / "registrar.json"

    @property
    def admin(self) -> NodePaths:
        """The administrator: MSP directory for Fabric's programs, and a TLS client pair."""
        return NodePaths(self.directory / "admin")

    @property
    def peer_client_tls(self) -> KeyPair:
        """TLS client pair with which the organization's peers dial its chaincode service."""
        directory = self.directory / "peer-client-tls"
        return KeyPair(directory / "certificate.pem", directory / "key.pem")

    def chaincode_package(self, service: Node) -> Path:
        """The ccaas package of a chaincode service as this organization installs it (mode 0600)."""
        return self.node(service).directory / "package.tar.gz"

    def chaincode_package_id(self, service: Node) -> Path:
        """One line, `label:sha256`: what the chaincode service must REGISTER."""
        return self.node(service).directory / "package-id.txt"

    def node(self, node: Node) -> NodePaths:
        """Files of one of its nodes."""
        return NodePaths(self.directory / node.name)


@dataclass(frozen=True)
class NetworkPaths:
    """Files of one network, below its directory."""

    directory: Path

    @property
    def profile(self) -> Path:
        """`network.json`: what clients read. Written last: a directory with it holds a whole network."""
        return self.directory / "network.json"

    @property
    def topology(self) -> Path:
        """`topology.json`: the topology as data (`fabric_protocol.topology`)."""
        return self.directory / "topology.json"

    @property
    def ports(self) -> Path:
        """Map of the names in `fabric_native.ports` to numbers."""
        return self.directory / "ports.json"

    @property
    def genesis(self) -> Path:
        """`genesis.block`: M(common.Block) number 0."""
        return self.directory / "genesis.block"

    @property
    def settings(self) -> Path:
        """`engine.json`: how the network's programs are found."""
        return self.directory / "engine.json"

    @property
    def builder(self) -> Path:
        """Directory of the external builder with which peers take chaincode packages of type ccaas."""
        return self.directory / "builder"

    @property
    def run(self) -> Path:
        """Directory of run records, one JSON file for each process that was started."""
        return self.directory / "run"

    @property
    def logs(self) -> Path:
        """Directory of log files, one for each process."""
        return self.directory / "logs"

    @property
    def organizations(self) -> Path:
        """Directory of the organizations' key material and ledgers."""
        return self.directory / "organizations"

    def organization(self, name: str) -> OrganizationPaths:
        """Files of the organization `name` (its name in the topology, not its MSP id)."""
        return OrganizationPaths(self.organizations / name)

    def node(self, node: Node) -> NodePaths:
        """Files of a node."""
        return self.organization(node.organization).node(node)
