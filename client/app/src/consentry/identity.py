"""Who acts: an MSP id, a certificate, and a private key at hand or on a token."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from consentry.errors import ConfigurationError
from fabric_gateway import SigningError
from fabric_protocol.errors import SignatureError
from fabric_protocol.identities import certificate_attributes, serialize_identity
from fabric_protocol.signatures import Signer, key_signer, to_low_s, verify

ROLE_ATTRIBUTE = "consentry.role"
WALLET_INVALID = "WALLET_INVALID"
_WARNING_DAYS = (90, 30, 7)
_CHALLENGE = b"consentry/key-check/1"


@dataclass(frozen=True)
class WalletIdentity:
    """Who acts: MSP id, certificate and private key (PEM), or a signer where the key is on a token.

    The key is left out of `repr`. Keys are ECDSA.
    """

    msp_id: str
    certificate_pem: bytes
    private_key_pem: bytes = field(repr=False, default=b"")
    token_signer: Signer | None = field(repr=False, default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse a key that is not the certificate's: every signature with it would be refused.

        Raises:
            ConfigurationError: WALLET_INVALID.
        """
        if not self.msp_id:
            raise ConfigurationError(WALLET_INVALID, "an identity's MSP id is empty")
        public_key = self.certificate.public_key()
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise ConfigurationError(WALLET_INVALID, "the certificate's key is not an elliptic-curve key")
        if not self._key_belongs_to(public_key):
            raise ConfigurationError(WALLET_INVALID, "the private key does not belong to the certificate")

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed."""
        return _parsed(self.certificate_pem)

    @cached_property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The private key (ECDSA).

        Raises:
            ConfigurationError: WALLET_INVALID; KEY_ON_TOKEN, it never leaves its token.
        """
        if self.token_signer is not None:
            raise ConfigurationError("KEY_ON_TOKEN", "the private key never leaves its token")
        try:
            key = load_pem_private_key(self.private_key_pem, None)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(WALLET_INVALID, "the private key is no unencrypted PEM key") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigurationError(WALLET_INVALID, "the private key is not an elliptic-curve key")
        return key

    @property
    def is_on_token(self) -> bool:
        """Whether the private key is on a PKCS#11 token."""
        return self.token_signer is not None

    @property
    def enrolment_id(self) -> str:
        """The certificate's common name: a random id that only the employer can resolve."""
        names = self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""

    @property
    def roles(self) -> frozenset[str]:
        """The roles named by the certificate's attribute `consentry.role` (a comma list)."""
        return _roles(self.certificate)

    @property
    def expires_at(self) -> datetime:
        """When the certificate ends (UTC)."""
        return self.certificate.not_valid_after_utc

    @cached_property
    def serialized(self) -> bytes:
        """Fabric's msp.SerializedIdentity: who signs, on the wire."""
        return serialize_identity(self.msp_id, self.certificate_pem)

    @cached_property
    def signer(self) -> Signer:
        """Signs SHA-256 digests with the private key (DER, low-S)."""
        if self.token_signer is not None:
            return self.token_signer
        return key_signer(self.private_key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message's SHA-256 (DER, low-S)."""
        signature = self.signer(hashlib.sha256(message).digest())
        public_key = self.certificate.public_key()
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise ConfigurationError(WALLET_INVALID, "the certificate's key is not an elliptic-curve key")
        return to_low_s(signature, public_key.curve)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature over `message` is one of this identity's key."""
        try:
            verify(self.certificate.public_key(), signature, message)
        except SignatureError:
            return False
        return True

    def expiry_warning(self, now: datetime) -> str | None:
        """Return a sentence once the certificate has less than 90, 30 or 7 days left, or none; else None."""
        return _expiry_warning(self.expires_at, now)

    def _key_belongs_to(self, public_key: ec.EllipticCurvePublicKey) -> bool:
        if self.token_signer is None:
            return _public_bytes(self.private_key.public_key()) == _public_bytes(public_key)
        try:
            verify(public_key, self.sign(_CHALLENGE), _CHALLENGE)
        except (SignatureError, SigningError):
            return False
        return True


def described(certificate_pem: bytes, now: datetime) -> tuple[frozenset[str], datetime, str | None]:
    """Return what a certificate says without its key: roles, end (UTC), and the warning that is due.

    Raises:
        ConfigurationError: WALLET_INVALID.
    """
    certificate = _parsed(certificate_pem)
    ends = certificate.not_valid_after_utc
    return _roles(certificate), ends, _expiry_warning(ends, now)


def _parsed(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise ConfigurationError(WALLET_INVALID, "the certificate is no PEM certificate") from error


def _roles(certificate: x509.Certificate) -> frozenset[str]:
    listed = certificate_attributes(certificate).get(ROLE_ATTRIBUTE, "")
    return frozenset(role.strip() for role in listed.split(",") if role.strip())


def _expiry_warning(ends: datetime, now: datetime) -> str | None:
    left = ends - now
    if left <= timedelta(0):
        return f"the certificate expired on {ends:%Y-%m-%d} and is refused: enrol again"
    for days in sorted(_WARNING_DAYS):
        if left < timedelta(days=days):
            return (
                f"the certificate expires on {ends:%Y-%m-%d}, in less than {days} days; "
                "renew it with `consentry wallet renew`"
            )
    return None


def _public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
