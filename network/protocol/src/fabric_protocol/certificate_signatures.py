"""The low-S form of certificates: Fabric rewrites their own ECDSA signatures before it compares or hashes.

Source: fabric-behaviour §1.1 (`msp/cert.go · sanitizeECDSASignedCert`).
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from fabric_protocol.der import replace_signature
from fabric_protocol.signatures import to_low_s


def with_low_s(certificate: x509.Certificate, issuer_key: PublicKeyTypes) -> x509.Certificate:
    """The certificate with its issuer's signature in low-S; the same object when nothing changes.

    Parameters:
        certificate: any certificate.
        issuer_key: the key that signed it; other than ECDSA keys need no change.

    Raises:
        SignatureError: INVALID_SIGNATURE, the certificate's signature is not an ECDSA one.
    """
    if not isinstance(issuer_key, ec.EllipticCurvePublicKey):
        return certificate
    signature = to_low_s(certificate.signature, issuer_key.curve)
    if signature == certificate.signature:
        return certificate
    rewritten = replace_signature(certificate.public_bytes(Encoding.DER), signature)
    return x509.load_der_x509_certificate(rewritten)
