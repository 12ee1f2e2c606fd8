"""Files of one organization's chaincode service, which its peers dial (chaincode as a service)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric_operator.errors import MaterialError
from fabric_operator.private_files import KeyPair, write_private
from fabric_protocol.chaincode_package import ChaincodeConnection, build_package
from fabric_protocol.topology import ChaincodeDefinition


@dataclass(frozen=True)
class ChaincodeServiceFiles:
    """Where they lie, and what is made of them.

    Parameters:
        tls: TLS server pair of the service.
        peer_client_tls: TLS client pair with which the organization's peers dial it.
        tls_root: certificate that issued both.
        package: the ccaas package as the organization installs it (holds the peers' client key: mode 0600).
        package_id: one line, `label:sha256`: what the service must REGISTER.
    """

    tls: KeyPair
    peer_client_tls: KeyPair
    tls_root: Path
    package: Path
    package_id: Path

    def write_package(self, label: str, address: str) -> None:
        """Make the package; the certificates must be there.

        Parameters:
            label: of the package.
            address: "host:port" on which the service listens.
        """
        connection = ChaincodeConnection(
            address=address,
            client_key=self.peer_client_tls.key.read_text(encoding="ascii"),
            client_certificate=self.peer_client_tls.certificate.read_text(encoding="ascii"),
            root_certificate=self.tls_root.read_text(encoding="ascii"),
        )
        package = build_package(label, connection)
        write_private(self.package, package.data)
        write_private(self.package_id, package.package_id.encode("ascii") + b"\n")

    def read_package_id(self) -> str:
        """The package's id.

        Raises:
            MaterialError: MATERIAL_UNREADABLE.
        """
        try:
            return self.package_id.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise MaterialError(
                "MATERIAL_UNREADABLE", f"cannot read the package id in {self.package_id}"
            ) from error

    def environment(self, address: str) -> dict[str, str]:
        """Environment of the service's process, as chaincode-as-a-service has it by custom.

        Parameters:
            address: "host:port" on which it listens.

        Raises:
            MaterialError: MATERIAL_UNREADABLE.
        """
        return {
            "CORE_CHAINCODE_ID": self.read_package_id(),
            "CHAINCODE_SERVER_ADDRESS": address,
            "CHAINCODE_TLS_DISABLED": "false",
            "CHAINCODE_TLS_KEY": str(self.tls.key),
            "CHAINCODE_TLS_CERT": str(self.tls.certificate),
            "CHAINCODE_CLIENT_CA_CERT": str(self.tls_root),
            "PYTHONUNBUFFERED": "1",
        }


def package_label(chaincode: ChaincodeDefinition) -> str:
    """Label of a chaincode's packages, the same at every organization."""
    return f"{chaincode.name}_{chaincode.version}"
