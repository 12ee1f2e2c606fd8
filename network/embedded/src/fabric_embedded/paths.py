"""Where everything of an embedded network lies, relative to its directory; nothing is created or read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric_operator import network_paths
from fabric_operator.chaincode_service import ChaincodeServiceFiles
from fabric_operator.private_files import KeyPair


@dataclass(frozen=True)
class OrganizationPaths(network_paths.OrganizationPaths):
    """Files of one organization, below `organizations/<name>/`."""

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
    def administrator(self) -> KeyPair:
        """The administrator's signing identity (OU admin)."""
        return self._pair("admin")

    @property
    def ca_tls(self) -> KeyPair:
        """TLS server pair of the CA service."""
        return self._pair("ca", "tls-")

    @property
    def chaincode(self) -> ChaincodeServiceFiles:
        """Files of the organization's chaincode service."""
        directory = self.directory / "chaincode"
        return ChaincodeServiceFiles(
            tls=KeyPair.within(directory),
            peer_client_tls=self.peer_client_tls,
            tls_root=self.tls_ca.certificate,
            package=directory / "package.tar.gz",
            package_id=directory / "package-id.txt",
        )

    @property
    def ca_database(self) -> Path:
        """SQLite store of the CA service: identities with hashed secrets, certificates issued."""
        return self.directory / "ca" / "identities.sqlite"

    @property
    def registrar(self) -> Path:
        """JSON {"id", "secret"} of the CA's bootstrap registrar (mode 0600)."""
        return self.directory / "ca" / "registrar.json"

    def _pair(self, part: str, prefix: str = "") -> KeyPair:
        return KeyPair.within(self.directory / part, prefix)


@dataclass(frozen=True)
class NetworkPaths(network_paths.NetworkPaths):
    """Files of one network, below its directory."""

    @property
    def ledger(self) -> Path:
        """Directory of the ledger's SQLite files."""
        return self.directory / "ledger"

    def organization(self, name: str) -> OrganizationPaths:
        """Files of the organization `name` (its name in the topology, not its MSP id)."""
        return OrganizationPaths(self.organizations / name)
