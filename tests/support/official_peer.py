"""Hyperledger's own `peer` command line, as an administrator of an embedded network's organization."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths, OrganizationPaths
from fabric_embedded.ports import ORDERER, peer_port
from fabric_operator.ports import read_ports

_NODE_UNITS = "".join(
    f"  {role.capitalize()}OUIdentifier:\n    OrganizationalUnitIdentifier: {role}\n"
    for role in ("client", "peer", "admin", "orderer")
)
_CORE = "peer:\n  BCCSP:\n    Default: SW\n    SW:\n      Hash: SHA2\n      Security: 256\n"
_SECONDS = 60


@dataclass(frozen=True)
class OfficialPeer:
    """The program, run for one organization's administrator.

    Parameters:
        program: path of `peer`.
        network: that is up.
        organization: name of the organization.
        directory: for the configuration that the program wants; made.
    """

    program: str
    network: EmbeddedNetwork
    organization: str
    directory: Path

    def run(self, *arguments: str) -> str:
        """What a command prints on standard output; the test fails with its errors if it fails."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout or done.stderr

    def result(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*arguments, "--output", "json"))

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        return subprocess.run(
            [self.program, *arguments],
            env=self._environment(),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def orderer(self) -> list[str]:
        """Options that name the ordering endpoint."""
        first = self.network.topology.organizations[0].name
        authority = self._files(first).tls_ca.certificate
        return ["--orderer", self._address(ORDERER), "--tls", "--cafile", str(authority)]

    def peers(self, *organizations: str) -> list[str]:
        """Options that name these organizations' peers."""
        options = []
        for name in organizations:
            options += ["--peerAddresses", self._address(peer_port(name))]
            options += ["--tlsRootCertFiles", str(self._files(name).tls_ca.certificate)]
        return options

    def _environment(self) -> dict[str, str]:
        files = self._files(self.organization)
        self._write_msp(files)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "FABRIC_CFG_PATH": str(self.directory),
            "FABRIC_LOGGING_SPEC": "error",
            "CORE_PEER_LOCALMSPID": self.network.topology.organization(self.organization).msp_id,
            "CORE_PEER_MSPCONFIGPATH": str(self.directory / "msp"),
            "CORE_PEER_ADDRESS": self._address(peer_port(self.organization)),
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_PEER_TLS_ROOTCERT_FILE": str(files.tls_ca.certificate),
        }

    def _write_msp(self, files: OrganizationPaths) -> None:
        msp = self.directory / "msp"
        if msp.exists():
            return
        for name, source in (
            ("cacerts/ca.pem", files.ca.certificate),
            ("tlscacerts/ca.pem", files.tls_ca.certificate),
            ("signcerts/admin.pem", files.administrator.certificate),
            ("keystore/key.pem", files.administrator.key),
        ):
            path = msp / name
            path.parent.mkdir(parents=True)
            path.write_bytes(source.read_bytes())
        (msp / "config.yaml").write_text(f"NodeOUs:\n  Enable: true\n{_NODE_UNITS}")
        (self.directory / "core.yaml").write_text(_CORE)

    def _files(self, organization: str) -> OrganizationPaths:
        return NetworkPaths(self.network.directory).organization(organization)

    def _address(self, port: str) -> str:
        ports = read_ports(NetworkPaths(self.network.directory).ports)
        return f"127.0.0.1:{ports[port]}"
