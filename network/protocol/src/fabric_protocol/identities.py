"""Identities as they travel: a certificate and the name of the MSP that it claims to belong to.

Nothing here is trusted: only an MSP says whether an identity is one of its own (`fabric_protocol.msp`).
Source: fabric-behaviour §1.1, §1.7 (`msp/identities.go`, `CA:lib/attrmgr/attrmgr.go`).
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.der import replace_signature
from fabric_protocol.errors import IdentityError

ATTRIBUTE_EXTENSION_OID: Final = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""The certificate extension in which a Fabric CA puts attributes: raw JSON, not wrapped in ASN.1."""

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_PEM_BLOCK: Final = re.compile(rb"-----BEGIN ([^\r\n]*)-----\r?\n(.*?)-----END \1-----", re.DOTALL)
_PEM_HEADER: Final = re.compile(rb"\A(?:[^\r\n:]+:[^\r\n]*\r?\n)+\r?\n")


@dataclass(frozen=True)
class Identity:
    """A certificate in the name of an MSP.

    Parameters:
        msp_id: the MSP that the identity claims.
        certificate: its X.509 certificate; with a low-S signature if an MSP read it.
        serialized: the bytes as they came, which signatures and transaction ids are over.
    """

    msp_id: str
    # Caches are keyed by identities: the other two parts tell them apart without hashing a certificate.
    certificate: x509.Certificate = field(hash=False)
    serialized: bytes

    @cached_property
    def key(self) -> str:
        """What tells two identities apart: MSP id and hex SHA-256 of the certificate."""
        return self.msp_id + self.certificate_digest.hex()

    @cached_property
    def certificate_digest(self) -> bytes:
        """SHA-256 of the certificate's DER."""
        return hashlib.sha256(self.certificate_der).digest()

    @cached_property
    def certificate_der(self) -> bytes:
        """The certificate's DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def end(self) -> datetime:
        """When the certificate runs out, UTC."""
        return self.certificate.not_valid_after_utc

    @cached_property
    def public_key(self) -> PublicKeyTypes:
        """The key that the identity's signatures are checked with.

        Raises:
            IdentityError: CERTIFICATE_INVALID, a key that cannot be read.
        """
        try:
            return self.certificate.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise IdentityError(
                "CERTIFICATE_INVALID", "the certificate's public key cannot be read"
            ) from error

    @cached_property
    def common_name(self) -> str:
        """The subject's common name (with our CA a random enrolment id); empty if there is none."""
        values = _subject_values(self.certificate, NameOID.COMMON_NAME)
        return values[-1] if values else ""

    @cached_property
    def organizational_units(self) -> tuple[str, ...]:
        """The subject's organizational units, in order, repeats kept."""
        return _subject_values(self.certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The attributes that the CA certified; see `certificate_attributes`."""
        return certificate_attributes(self.certificate)


def parse_identity(serialized: bytes) -> Identity:
    """Read a serialized identity without asking any MSP.

    Parameters:
        serialized: M(SerializedIdentity).

    Raises:
        IdentityError: IDENTITY_MALFORMED, not such a message, or without MSP id; CERTIFICATE_INVALID, its
            content is not a PEM certificate.
    """
    msp_id, content = split_identity(serialized)
    return Identity(msp_id, parse_certificate(content), serialized)


def split_identity(serialized: bytes) -> tuple[str, bytes]:
    """The MSP id and the PEM text inside a serialized identity.

    Raises:
        IdentityError: IDENTITY_MALFORMED, not such a message, or without MSP id.
    """
    message = identities_pb2.SerializedIdentity()
    try:
        message.ParseFromString(serialized)
    except (DecodeError, TypeError):
        raise IdentityError(
            "IDENTITY_MALFORMED", f"expected a serialized identity, got {len(serialized)} other bytes"
        ) from None
    if not message.mspid:
        raise IdentityError("IDENTITY_MALFORMED", "the serialized identity names no MSP")
    return message.mspid, message.id_bytes


def serialize_identity(msp_id: str, certificate_pem: bytes) -> bytes:
    """M(SerializedIdentity): how an identity is named in headers and endorsements.

    Parameters:
        msp_id: the MSP that issued the certificate.
        certificate_pem: one PEM certificate, taken as it is.

    Raises:
        IdentityError: IDENTITY_MALFORMED, no MSP id; CERTIFICATE_INVALID, not a PEM certificate.
    """
    if not msp_id:
        raise IdentityError("IDENTITY_MALFORMED", "an identity needs the id of its MSP, got an empty one")
    parse_certificate(certificate_pem)
    serialized: bytes = identities_pb2.SerializedIdentity(
        mspid=msp_id, id_bytes=certificate_pem
    ).SerializeToString(deterministic=True)
    return serialized


def parse_certificate(pem: bytes) -> x509.Certificate:
    """Read the first PEM block as a certificate, whatever its label, ignoring what follows, as an MSP does.

    Raises:
        IdentityError: CERTIFICATE_INVALID.
    """
    try:
        der = first_pem_block(pem)
        certificate = x509.load_der_x509_certificate(der)
        # Read at once what would be read late: a certificate is refused here or readable for good, as in Go.
        _ = certificate.version, certificate.subject, certificate.issuer, certificate.extensions
        # A signature that claims unused bits would verify and make the same certificate another identity.
        is_canonical = replace_signature(der, certificate.signature) == der
    except _UNREADABLE as error:
        raise IdentityError("CERTIFICATE_INVALID", "expected one X.509 certificate in PEM") from error
    if not is_canonical:
        raise IdentityError("CERTIFICATE_INVALID", "the certificate's signature is not canonical DER")
    return certificate


def first_pem_block(pem: bytes) -> bytes:
    """The content of the first PEM block.

    Raises:
        ValueError: there is none.
    """
    for match in _PEM_BLOCK.finditer(pem):
        body = _PEM_HEADER.sub(b"", match.group(2))
        try:
            return base64.b64decode(b"".join(body.split()), validate=True)
        except binascii.Error:
            continue
    raise ValueError("no PEM block")


def certificate_attributes(certificate: x509.Certificate) -> dict[str, str]:
    """The attributes in a certificate's attribute extension; empty if it has none.

    Raises:
        IdentityError: ATTRIBUTES_INVALID, the extension is not `{"attrs": {name: text}}`.
    """
    extension = _extension(certificate, ATTRIBUTE_EXTENSION_OID)
    if extension is None:
        return {}
    try:
        document = json.loads(extension)
        attributes = document["attrs"]
        if isinstance(attributes, dict) and all(isinstance(value, str) for value in attributes.values()):
            return dict(attributes)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise IdentityError("ATTRIBUTES_INVALID", 'expected {"attrs": {name: text}} in the attribute extension')


def attribute_extension_value(attributes: Mapping[str, str]) -> bytes:
    """The attribute extension's value in the bytes that a Fabric CA writes: names sorted, no spaces."""
    return json.dumps({"attrs": dict(attributes)}, sort_keys=True, separators=(",", ":")).encode()


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes | None:
    try:
        value = certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None
    except ValueError as error:
        raise IdentityError("CERTIFICATE_INVALID", "the certificate's extensions cannot be read") from error
    return value.value if isinstance(value, x509.UnrecognizedExtension) else None


def _subject_values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    try:
        attributes = certificate.subject.get_attributes_for_oid(oid)
    except ValueError as error:
        raise IdentityError("CERTIFICATE_INVALID", "the certificate's subject cannot be read") from error
    return tuple(str(attribute.value) for attribute in attributes)
