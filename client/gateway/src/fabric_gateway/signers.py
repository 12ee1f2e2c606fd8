"""Signers from private keys at hand; any other callable of the same kind will do as well."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fabric_protocol.errors import SignatureError
from fabric_protocol.signatures import Signer, key_signer


def pem_signer(private_key: bytes, password: bytes | None = None) -> Signer:
    """Return a signer for a private key in PEM (PKCS#8 or SEC 1): ECDSA on P-256 or P-384, or Ed25519.

    `password` decrypts the key where it is encrypted. For ECDSA the signer takes the message's SHA-256 digest
    and returns DER in low-S form; for Ed25519 it takes the message itself.

    Raises:
        ValueError: no PEM key, another kind of key, or a password that does not fit.
    """
    try:
        key = load_pem_private_key(private_key, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(
            f"private key: expected PEM, and a password where it is encrypted: {error}"
        ) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("private key: got another kind of key, expected ECDSA (P-256, P-384) or Ed25519")
    try:
        return key_signer(key)
    except SignatureError as error:
        raise ValueError(f"private key: {error}") from error
