"""All key material of a network: authorities, identities, TLS pairs, chaincode packages, genesis block.

One operator holds every key here: the embedded engine proves integrity, not independence (DESIGN §1).
Source: fabric-behaviour §1.2 (MSPs), §11 (genesis), §12 (packages).
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabric_embedded.ca.service import bootstrap_registrar
from fabric_embedded.ca.store import IdentityStore
from fabric_embedded.paths import NetworkPaths, OrganizationPaths
from fabric_embedded.ports import chaincode_port
from fabric_operator.chaincode_service import package_label
from fabric_operator.material import read_authority
from fabric_operator.private_files import KeyPair, write_pair, write_private
from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    key_pem,
    new_authority,
    new_private_key,
)
from fabric_protocol.signatures import Signer, key_signer
from fabric_protocol.topology import Organization, Topology

# Authorities begin before what they issue: an MSP judges a chain at the leaf's own beginning (§1.3).
_AUTHORITY_LEAD = timedelta(days=1)
_LEAD = timedelta(minutes=5)
_VALID_DAYS = 3650
_REGISTRAR = "registrar"
_SECRET_BYTES = 24


@dataclass(frozen=True)
class _Issuer:
    """Issues and writes the certificates of one organization."""

    name: str
    host: str
    identities: CertificateAuthority
    tls: CertificateAuthority
    start: datetime

    def identity(self, pair: KeyPair, role: str) -> None:
        """An identity of a node or administrator; `role` is its OU."""
        key = new_private_key()
        certificate = issue(
            self.identities,
            common_name=f"{role}.{self.name}",
            public_key=key.public_key(),
            organizational_units=(role,),
            start=self.start,
            valid_days=_VALID_DAYS - 1,
        )
        write_pair(pair, certificate_pem(certificate), key_pem(key))

    def tls_pair(self, pair: KeyPair, name: str, *, server: bool) -> None:
        """A TLS pair: of a server on this machine, or of a client."""
        key = new_private_key()
        certificate = issue(
            self.tls,
            common_name=f"{name}.{self.name}",
            public_key=key.public_key(),
            dns_names=self._names() if server else (),
            ip_addresses=(self.host,) if server and _is_address(self.host) else (),
            server=server,
            client=not server,
            start=self.start,
            valid_days=_VALID_DAYS - 1,
        )
        write_pair(pair, certificate_pem(certificate), key_pem(key))

    def _names(self) -> tuple[str, ...]:
        names = ["localhost"] if _is_address(self.host) else ["localhost", self.host]
        return tuple(dict.fromkeys(names))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def create_organization(
    paths: OrganizationPaths,
    organization: Organization,
    topology: Topology,
    ports: Mapping[str, int],
    start: datetime,
) -> None:
    """Make everything of one organization: authorities, nodes, administrator, CA store, chaincode package.

    Parameters:
        paths: where it goes; nothing may be there yet.
        organization: whose it is.
        topology: the network.
        ports: the network's ports.
        start: time of creation (UTC, aware).
    """
    # mkdir gives its mode to the last directory only.
    paths.directory.mkdir(mode=0o700)
    issuer = _Issuer(
        organization.name,
        topology.host,
        new_authority(f"ca.{organization.name}", start=start - _AUTHORITY_LEAD, valid_days=_VALID_DAYS),
        new_authority(f"tls-ca.{organization.name}", start=start - _AUTHORITY_LEAD, valid_days=_VALID_DAYS),
        start - _LEAD,
    )
    write_pair(paths.ca, issuer.identities.pem, issuer.identities.key_pem)
    write_pair(paths.tls_ca, issuer.tls.pem, issuer.tls.key_pem)
    for pair, role in ((paths.peer, "peer"), (paths.orderer, "orderer"), (paths.administrator, "admin")):
        issuer.identity(pair, role)
    servers = (
        (paths.peer_tls, "peer"),
        (paths.orderer_tls, "orderer"),
        (paths.ca_tls, "ca"),
        (paths.chaincode.tls, "chaincode"),
    )
    for pair, name in servers:
        issuer.tls_pair(pair, name, server=True)
    issuer.tls_pair(paths.peer_client_tls, "peer-client", server=False)
    _create_registrar(paths)
    address = f"{topology.host}:{ports[chaincode_port(organization.name)]}"
    paths.chaincode.write_package(package_label(topology.chaincode), address)


def read_signer(pair: KeyPair) -> Signer:
    """Load the key of an identity from its files, as a signer.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    return key_signer(read_authority(pair).private_key)


def _create_registrar(paths: OrganizationPaths) -> None:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    document = json.dumps({"id": _REGISTRAR, "secret": secret})
    write_private(paths.registrar, document.encode("utf-8") + b"\n")
    with closing(IdentityStore(paths.ca_database)) as store:
        bootstrap_registrar(store, _REGISTRAR, secret)


def make_directories(paths: NetworkPaths) -> None:
    """Make the network's directories, for their owner only."""
    for directory in (paths.directory, paths.organizations, paths.ledger, paths.run, paths.logs):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
