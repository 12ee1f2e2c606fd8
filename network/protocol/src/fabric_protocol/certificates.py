"""Building X.509 certificates as Fabric's MSPs want them: ECDSA P-256, low-S, with key identifiers.

Used by the CA service, by the native engine where Fabric CA is missing, and by tests. No file is touched.
Source: fabric-behaviour §1.2, §1.3, §1.7; RFC 5280 §4.2.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fabric_protocol.certificate_signatures import with_low_s
from fabric_protocol.errors import IdentityError
from fabric_protocol.identities import ATTRIBUTE_EXTENSION_OID, attribute_extension_value

_MAX_NAME: Final = 64  # RFC 5280 appendix A: ub-common-name, ub-organizational-unit-name


@dataclass(frozen=True)
class CertificateAuthority:
    """A certificate that may issue others, and its key."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM (PKCS #8, not encrypted): keep it in a file that only its owner reads."""
        return key_pem(self.private_key)


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key from the system's random source."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM (PKCS #8, not encrypted)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def new_authority(
    common_name: str,
    *,
    start: datetime,
    valid_days: int = 3650,
    issuer: CertificateAuthority | None = None,
) -> CertificateAuthority:
    """A new certificate authority with a new key.

    Parameters:
        common_name: its name, 1 to 64 characters.
        start: beginning of its validity, with time zone.
        valid_days: length of its validity in days.
        issuer: the authority above it; without one it signs itself.

    Raises:
        IdentityError: CERTIFICATE_REQUEST_INVALID, naming what does not fit.
    """
    key = new_private_key()
    subject = _name(common_name, ())
    issuer_name = subject if issuer is None else issuer.certificate.subject
    issuer_key = key if issuer is None else issuer.private_key
    identifier = _key_identifier(key.public_key()) if issuer is None else _identifier_of(issuer.certificate)
    builder = (
        _builder(subject, issuer_name, key.public_key(), identifier, start, valid_days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
    )
    return CertificateAuthority(_signed(builder, issuer_key), key)


def issue(
    authority: CertificateAuthority,
    *,
    common_name: str,
    public_key: CertificatePublicKeyTypes,
    start: datetime,
    organizational_units: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
    server: bool = False,
    client: bool = False,
    valid_days: int = 365,
) -> x509.Certificate:
    """Issue a certificate that is no authority itself.

    Parameters:
        authority: who signs.
        common_name: the subject's name, 1 to 64 characters; a random enrolment id for people.
        public_key: the subject's key.
        start: beginning of the validity, with time zone; MSPs judge the chain at this instant.
        organizational_units: the subject's OUs; with NodeOUs exactly one of client, peer, admin, orderer.
        attributes: names and texts for the attribute extension; None leaves it out.
        dns_names: host names for TLS servers.
        ip_addresses: addresses for TLS servers, as text.
        server: a TLS server's certificate.
        client: a TLS client's certificate. Leave both out for identities: an MSP refuses a certificate
            whose extended key usage lacks serverAuth.
        valid_days: length of the validity in days.

    Raises:
        IdentityError: CERTIFICATE_REQUEST_INVALID, naming what does not fit.
    """
    subject = _name(common_name, organizational_units)
    identifier = _identifier_of(authority.certificate)
    builder = (
        _builder(subject, authority.certificate.subject, public_key, identifier, start, valid_days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
    )
    usages = [ExtendedKeyUsageOID.SERVER_AUTH] * server + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    names = _alternative_names(dns_names, ip_addresses)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if attributes is not None:
        value = attribute_extension_value(attributes)
        builder = builder.add_extension(
            x509.UnrecognizedExtension(ATTRIBUTE_EXTENSION_OID, value), critical=False
        )
    return _signed(builder, authority.private_key)


def _key_identifier(public_key: CertificatePublicKeyTypes) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(public_key)


def _identifier_of(authority: x509.Certificate) -> x509.SubjectKeyIdentifier:
    try:
        # RFC 5280 §4.2.1.1: as the authority states it; Fabric's own tools derive it by another hash.
        return authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return _key_identifier(authority.public_key())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: CertificatePublicKeyTypes,
    issuer_identifier: x509.SubjectKeyIdentifier,
    start: datetime,
    valid_days: int,
) -> x509.CertificateBuilder:
    if start.tzinfo is None:
        raise _invalid("start needs a time zone")
    if valid_days < 1:
        raise _invalid(f"valid_days must be at least 1, got {valid_days}")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=valid_days))
        .add_extension(_key_identifier(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_identifier), critical=False
        )
    )


def _signed(builder: x509.CertificateBuilder, issuer_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return with_low_s(builder.sign(issuer_key, SHA256()), issuer_key.public_key())


def _name(common_name: str, organizational_units: Sequence[str]) -> x509.Name:
    for value in (common_name, *organizational_units):
        if not 1 <= len(value) <= _MAX_NAME:
            raise _invalid(f"a common name or unit has 1 to {_MAX_NAME} characters, got {len(value)}")
    units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in organizational_units]
    return x509.Name([*units, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(dns_names: Sequence[str], ip_addresses: Sequence[str]) -> list[x509.GeneralName]:
    try:
        return [
            *(x509.DNSName(name) for name in dns_names),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in ip_addresses),
        ]
    except ValueError as error:
        raise _invalid("dns_names are ASCII host names, ip_addresses are IP addresses") from error


def _invalid(what: str) -> IdentityError:
    return IdentityError("CERTIFICATE_REQUEST_INVALID", f"no certificate can be issued: {what}")
