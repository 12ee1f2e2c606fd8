"""Where what both engines write of a network lies, relative to its directory; nothing is read or made."""

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
        return KeyPair.within(self.directory / "ca")

    @property
    def tls_ca(self) -> KeyPair:
        """Issuer of the organization's TLS certificates."""
        return KeyPair.within(self.directory / "tls-ca")

    @property
    def administrator(self) -> KeyPair:
        """The administrator's signing identity (OU admin)."""
        raise NotImplementedError

    @property
    def registrar(self) -> Path:
        """JSON {"id", "secret"} of the bootstrap registrar of the organization's CA (mode 0600)."""
        raise NotImplementedError


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
        """`ports.json`: numbers by the names that the engine gives its ports."""
        return self.directory / "ports.json"

    @property
    def genesis(self) -> Path:
        """`genesis.block`: M(common.Block) number 0."""
        return self.directory / "genesis.block"

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
        """Directory of the organizations' files, their key material above all."""
        return self.directory / "organizations"

    def organization(self, name: str) -> OrganizationPaths:
        """Files of the organization `name` (its name in the topology, not its MSP id)."""
        raise NotImplementedError
