"""A chaincode beside the one that a network was made with: packages, services, and its administrators."""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support.ca_requests import signer
from support.embedded import User

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths, OrganizationPaths
from fabric_operator.ports import choose_ports
from fabric_protocol.chaincode_package import ChaincodeConnection, ChaincodePackage, build_package
from fabric_protocol.signatures import key_signer

GREETING = str(Path(__file__).with_name("greeting_chaincode.py"))


def start_greeting(network: EmbeddedNetwork, organization: str, word: str) -> ChaincodePackage:
    """Start an organization's service that greets with a word, over mutual TLS; the package that names it."""
    files = _files(network, organization)
    name = f"greeting-{word.lower()}-{organization}"
    address = f"127.0.0.1:{choose_ports([name], '127.0.0.1')[name]}"
    package = build_package(
        f"greeting_{word}",
        ChaincodeConnection(
            address=address,
            client_key=files.peer_client_tls.key.read_text(),
            client_certificate=files.peer_client_tls.certificate.read_text(),
            root_certificate=files.tls_ca.certificate.read_text(),
        ),
    )
    environment = {
        "CORE_CHAINCODE_ID": package.package_id,
        "CHAINCODE_SERVER_ADDRESS": address,
        "CHAINCODE_TLS_DISABLED": "false",
        "CHAINCODE_TLS_KEY": str(files.chaincode.tls.key),
        "CHAINCODE_TLS_CERT": str(files.chaincode.tls.certificate),
        "CHAINCODE_CLIENT_CA_CERT": str(files.tls_ca.certificate),
    }
    network.start_process(name, (sys.executable, GREETING, word), environment)
    return package


def administrator(network: EmbeddedNetwork, organization: str) -> User:
    """An organization's administrator as a client."""
    admin = _files(network, organization).administrator
    key = load_pem_private_key(admin.key.read_bytes(), None)
    msp_id = network.topology.organization(organization).msp_id
    return User(msp_id, admin.certificate.read_bytes(), key_signer(key), signer(key))  # type: ignore[arg-type]


def _files(network: EmbeddedNetwork, organization: str) -> OrganizationPaths:
    return NetworkPaths(network.directory).organization(organization)
