"""Organizations made for one test run: an authority, members by role, an MSP configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    new_authority,
    new_private_key,
)
from fabric_protocol.identities import Identity, parse_identity, serialize_identity
from fabric_protocol.msp import Msp, MspManager, build_msp_config
from fabric_protocol.policies import SignedData
from fabric_protocol.signatures import sign

START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Member:
    """An identity and its key."""

    serialized: bytes
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def identity(self) -> Identity:
        return parse_identity(self.serialized)

    @property
    def pem(self) -> bytes:
        return certificate_pem(self.certificate)

    def signed(self, data: bytes) -> SignedData:
        return SignedData(data, self.serialized, sign(self.key, data))


@dataclass(frozen=True)
class SampleOrganization:
    """An organization with an authority of its own."""

    msp_id: str
    authority: CertificateAuthority = field(
        default_factory=lambda: new_authority("root.example", start=START - timedelta(days=1))
    )

    def member(
        self,
        *units: str,
        name: str = "member-1",
        attributes: Mapping[str, str] | None = None,
        authority: CertificateAuthority | None = None,
        **options: Any,
    ) -> Member:
        key = new_private_key()
        certificate = issue(
            authority or self.authority,
            common_name=name,
            public_key=key.public_key(),
            organizational_units=units,
            attributes=attributes,
            **{"start": START, **options},
        )
        serialized = serialize_identity(self.msp_id, certificate_pem(certificate))
        return Member(serialized, certificate, key)

    def msp_config(self, **options: Any) -> Any:
        return build_msp_config(self.msp_id, root_certificates=[self.authority.pem], **options)

    def msp(self, **options: Any) -> Msp:
        return Msp.from_config(self.msp_config(**options))

    def revocation_list(
        self, certificates: Sequence[x509.Certificate], *, signer: CertificateAuthority | None = None
    ) -> bytes:
        """PEM; names this organization's authority as issuer, whoever signs."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.authority.certificate.subject)
            .last_update(START)
            .next_update(START + timedelta(days=1))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.private_key.public_key()),
                critical=False,
            )
        )
        for certificate in certificates:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(START + timedelta(days=10_000))
                .build()
            )
        key = (signer or self.authority).private_key
        return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def manager(*organizations: SampleOrganization) -> MspManager:
    """The MSPs of these organizations."""
    return MspManager(organization.msp() for organization in organizations)
