"""Certificates, and signatures made with their keys.

Dates do not count: Fabric validates transactions without regard to them. ECDSA signatures have to be low-S.

Source: Fabric ``msp/mspimplvalidate.go``, ``bccsp/sw/ecdsa.go``.
"""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from .refusal import ProofRefused

# Orders of the groups (FIPS 186-5), for low-S.
_ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
}


def read_certificate(pem: bytes) -> x509.Certificate:
    """Read one PEM certificate.

    Raises:
        ProofRefused: CERTIFICATE.
    """
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise ProofRefused("CERTIFICATE", "a certificate cannot be read") from None


def certificate_bytes(certificate: x509.Certificate) -> bytes:
    """A certificate in DER."""
    return certificate.public_bytes(Encoding.DER)


def read_revocations(pem: bytes) -> x509.CertificateRevocationList:
    """Read one PEM certificate revocation list.

    Raises:
        ProofRefused: CERTIFICATE.
    """
    try:
        return x509.load_pem_x509_crl(pem)
    except ValueError:
        raise ProofRefused("CERTIFICATE", "a revocation list cannot be read") from None


def signature_holds(certificate: x509.Certificate, signed: bytes, signature: bytes) -> bool:
    """Whether a certificate's key made a signature: low-S ECDSA (P-256, P-384) over SHA-256, or Ed25519."""
    try:
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _ORDERS:
            is_low = utils.decode_dss_signature(signature)[1] <= _ORDERS[key.curve.name] // 2
            key.verify(signature, signed, ec.ECDSA(SHA256()))
            return is_low
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return False


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may issue others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether an authority issued a certificate: names and signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return is_authority(issuer)


def is_revoked(
    certificate: x509.Certificate, issuer: x509.Certificate, revocations: list[x509.CertificateRevocationList]
) -> bool:
    """Whether a list that the issuer signed names the certificate."""
    return any(
        entry.issuer == issuer.subject
        and entry.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        and entry.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        for entry in revocations
    )
