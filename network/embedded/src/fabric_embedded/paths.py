"""Where everything of an embedded network lies, relative to its directory; nothing is created or read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric_operator.private_files import KeyPair


@dataclass(frozen=True)
class OrganizationPaths:
    """Files of one organization, below `organizations/<name>/`."""

    directory: Path

    @property
    def ca(self) -> KeyPair:
        """Issuer of enrolment certificates: the root of the organization's MSP."""
        return self._pair("ca")

    @property
    def tls_ca(self) -> KeyPair:
        """Issuer of the organization's TLS certificates."""
        return self._pair("tls-ca")

    @property
    def peer(self) -> KeyPair:
        """The peer's signing identity (OU peer)."""
        return self._pair("peer")

    @property
    def peer_tls(self) -> KeyPair:
        """TLS server pair of the organization's endpoint."""
        return self._pair("peer", "tls-")

    @property
    def peer_client_tls(self) -> KeyPair:
        """TLS client pair with which the peer dials its chaincode services."""
        return self._pair("peer", "client-tls-")

    @property
    def orderer(self) -> KeyPair:
        """The ordering node's signing identity (OU orderer)."""
        return self._pair("orderer")

    @property
    def orderer_tls(self) -> KeyPair:
        """TLS server pair of the ordering endpoint."""
        return self._pair("orderer", "tls-")

    @property
    def admin(self) -> KeyPair:
        """The administrator's signing identity (OU admin)."""
        return self._pair("admin")

    @property
    def ca_tls(self) -> KeyPair:
        """TLS server pair of the CA service."""
        return self._pair("ca", "tls-")

    @property
    def chaincode(self) -> KeyPair:
        """TLS server pair of the organization's chaincode service."""
        return self._pair("chaincode")

    @property
    def chaincode_package(self) -> Path:
        """The ccaas package as this organization installs it (holds the peer's client key: mode 0600)."""
        return self.directory / "chaincode" / "package.tar.gz"

    @property
    def chaincode_package_id(self) -> Path:
        """One line, `label:sha256`: what the chaincode service must REGISTER."""
        return self.directory / "chaincode" / "package-id.txt"

    @property
    def ca_database(self) -> Path:
        """SQLite store of the CA service: identities with hashed secrets, certificates issued."""
        return self.directory / "ca" / "identities.sqlite"

    @property
    def registrar(self) -> Path:
        """JSON {"id", "secret"} of the CA's bootstrap registrar (mode 0600)."""
        return self.directory / "ca" / "registrar.json"

    def _pair(self, part: str, prefix: str = "") -> KeyPair:
        directory = self.directory / part
        return KeyPair(directory / f"{prefix}certificate.pem", directory / f"{prefix}key.pem")


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
        """Map of "orderer", "operations", "peer/<name>", "ca/<name>", "chaincode/<name>"."""
        return self.directory / "ports.json"

    @property
    def genesis(self) -> Path:
        """`genesis.block`: M(common.Block) number 0."""
        return self.directory / "genesis.block"

    @property
    def ledger(self) -> Path:
        """Directory of the ledger's SQLite files."""
        return self.directory / "ledger"

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
        """Directory of the organizations' key material."""
        return self.directory / "organizations"

    def organization(self, name: str) -> OrganizationPaths:
        """Files of the organization `name` (its name in the topology, not its MSP id)."""
        return OrganizationPaths(self.organizations / name)
