"""Organizations of a chain made in a test: authorities, and people and nodes with keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    new_authority,
    new_private_key,
)
from fabric_protocol.channel_config import OrganizationConfig
from fabric_protocol.identities import serialize_identity
from fabric_protocol.msp import build_msp_config
from fabric_protocol.signatures import Signer, key_signer, sign

START = datetime(2026, 1, 1, tzinfo=UTC)
HOSPITALS = ("NorthgateMSP", "RiversideMSP", "LakesideMSP")
REGULATOR = "RegulatorMSP"


@dataclass(frozen=True)
class Member:
    """Somebody or something with a certificate and a key."""

    msp_id: str
    identity: bytes
    key: Any

    @property
    def signer(self) -> Signer:
        """Signs SHA-256 digests."""
        return key_signer(self.key)

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return sign(self.key, message)


class Organization:
    """One organization of a chain: its authority, peer, orderer and users."""

    def __init__(self, msp_id: str) -> None:
        self.msp_id = msp_id
        self.authority: CertificateAuthority = new_authority(f"{msp_id} CA", start=START)
        self.tls_authority: CertificateAuthority = new_authority(f"{msp_id} TLS CA", start=START)
        self.peer = self.member("peer0", "peer")
        self.orderer = self.member("orderer0", "orderer")

    @property
    def name(self) -> str:
        """Its short name."""
        return self.msp_id.removesuffix("MSP").lower()

    def member(self, common_name: str, kind: str, attributes: Mapping[str, str] | None = None) -> Member:
        """Somebody new; `kind` is client, peer, admin or orderer."""
        key = new_private_key()
        certificate = issue(
            self.authority,
            common_name=common_name,
            public_key=key.public_key(),
            start=START,
            organizational_units=(kind,),
            attributes=attributes,
        )
        return Member(self.msp_id, serialize_identity(self.msp_id, certificate_pem(certificate)), key)

    def user(self, common_name: str, *roles: str) -> Member:
        """A client with roles."""
        return self.member(common_name, "client", {"consentry.role": ",".join(roles)})

    def tls_certificate(self) -> bytes:
        """PEM of a TLS certificate for its orderer."""
        key = new_private_key()
        certificate = issue(
            self.tls_authority,
            common_name="orderer0",
            public_key=key.public_key(),
            start=START,
            dns_names=("localhost",),
            server=True,
            client=True,
        )
        return certificate_pem(certificate)

    def config(self) -> OrganizationConfig:
        """Its entry in the channel's configuration."""
        msp = build_msp_config(
            self.msp_id,
            root_certificates=[self.authority.pem],
            tls_root_certificates=[self.tls_authority.pem],
        )
        return OrganizationConfig(self.name, self.msp_id, msp, ("127.0.0.1:7050",))
