"""Who issues the identities and TLS certificates of an organization's nodes.

Fabric CA does, where its server is found. Where it is not, this process does with the same roots, as a CA
service for users then runs beside the network (see `NativeNetwork.create`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fabric_native.authority_client import AuthorityClient
from fabric_native.authority_config import TLS_PROFILE
from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    key_pem,
    new_private_key,
)


class Issuer(Protocol):
    """Issues for one organization; everything in PEM, certificate first, then key."""

    def identity(self, name: str, role: str) -> tuple[bytes, bytes]:
        """An identity whose organizational unit is `role`."""
        ...

    def tls(self, name: str, hosts: Sequence[str]) -> tuple[bytes, bytes]:
        """A TLS pair, for a server at `hosts` and for a client."""
        ...


@dataclass(frozen=True)
class FabricCaIssuer:
    """Has an organization's two Fabric CAs issue."""

    identities: AuthorityClient
    tls_authority: AuthorityClient

    def identity(self, name: str, role: str) -> tuple[bytes, bytes]:
        """See `Issuer`."""
        return self.identities.issue(name, role)

    def tls(self, name: str, hosts: Sequence[str]) -> tuple[bytes, bytes]:
        """See `Issuer`."""
        return self.tls_authority.issue(name, "client", hosts=hosts, profile=TLS_PROFILE)


@dataclass(frozen=True)
class RootIssuer:
    """Issues with the roots' keys themselves."""

    identities: CertificateAuthority
    tls_authority: CertificateAuthority
    start: datetime

    def identity(self, name: str, role: str) -> tuple[bytes, bytes]:
        """See `Issuer`."""
        key = new_private_key()
        certificate = issue(
            self.identities,
            common_name=name,
            public_key=key.public_key(),
            organizational_units=(role,),
            start=self.start,
        )
        return certificate_pem(certificate), key_pem(key)

    def tls(self, name: str, hosts: Sequence[str]) -> tuple[bytes, bytes]:
        """See `Issuer`."""
        key = new_private_key()
        certificate = issue(
            self.tls_authority,
            common_name=name,
            public_key=key.public_key(),
            dns_names=[host for host in hosts if not is_address(host)],
            ip_addresses=[host for host in hosts if is_address(host)],
            server=True,
            client=True,
            start=self.start,
        )
        return certificate_pem(certificate), key_pem(key)


def is_address(host: str) -> bool:
    """Whether a host is given by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
