"""Hyperledger's own `fabric-ca-client`, at the CA of an embedded network's organization."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import ca_port
from fabric_operator.ports import read_ports
from fabric_protocol.identities import certificate_attributes

_SECONDS = 60


@dataclass(frozen=True)
class OfficialCaClient:
    """The program, run for one identity.

    Parameters:
        program: path of `fabric-ca-client`.
        network: that is up.
        organization: name of the organization.
        home: where the program keeps the identity; made by `enroll`.
    """

    program: str
    network: EmbeddedNetwork
    organization: str
    home: Path

    def enroll(self, identity: str, secret: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Enrol with id and secret."""
        return self._call("enroll", "-u", f"https://{identity}:{secret}@{self._address}", *options)

    def run(self, *arguments: str) -> str:
        """What a command prints; the test fails with its errors if it fails."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        return self._call(*arguments, "-u", f"https://{self._address}")

    def certificate(self) -> x509.Certificate:
        """The certificate that the program keeps."""
        return x509.load_pem_x509_certificate((self.home / "msp" / "signcerts" / "cert.pem").read_bytes())

    def attributes(self) -> dict[str, str]:
        """Attributes in the certificate."""
        return certificate_attributes(self.certificate())

    def revocation_list(self) -> x509.CertificateRevocationList:
        """The list that the program last stored."""
        return x509.load_pem_x509_crl((self.home / "msp" / "crls" / "crl.pem").read_bytes())

    @property
    def _address(self) -> str:
        return f"127.0.0.1:{read_ports(self._paths.ports)[ca_port(self.organization)]}"

    @property
    def _paths(self) -> NetworkPaths:
        return NetworkPaths(self.network.directory)

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        roots = self._paths.organization(self.organization).tls_ca.certificate
        return subprocess.run(
            [self.program, *arguments, "-H", str(self.home)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home.parent),
                "FABRIC_CA_CLIENT_TLS_CERTFILES": str(roots),
                "FABRIC_CA_CLIENT_CANAME": f"{self.organization}-ca",
            },
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
