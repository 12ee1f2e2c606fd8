"""Signatures as Fabric makes and checks them.

ECDSA signatures are DER over the SHA-256 of the message, whatever the curve, and must be **low-S**; Ed25519
signatures are raw, over the message itself. Source: fabric-behaviour §1.5 (`bccsp/sw/ecdsa.go`,
`msp/identities.go`).
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from fabric_protocol.der import DerError, read_integer_pair
from fabric_protocol.errors import SignatureError

Signer = Callable[[bytes], bytes]
"""What signs without showing its key: SHA-256 digest of the message in, DER low-S signature out."""

DIGEST_LENGTH: Final = 32

# Orders of the base points: FIPS 186-5 / SEC 2.
_CURVE_ORDERS: Final[dict[str, int]] = {
    "secp224r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D,
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    "secp521r1": int(
        "01" + "FF" * 32 + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}

_SHA256_ECDSA: Final = ec.ECDSA(SHA256())
_PREHASHED_ECDSA: Final = ec.ECDSA(Prehashed(SHA256()))


def curve_order(curve: ec.EllipticCurve) -> int:
    """The order of a curve's base point.

    Raises:
        SignatureError: UNSUPPORTED_KEY, the curve is none of P-224, P-256, P-384, P-521.
    """
    try:
        return _CURVE_ORDERS[curve.name]
    except KeyError:
        raise SignatureError(
            "UNSUPPORTED_KEY", f"curve {curve.name} is not supported: use P-256 or P-384"
        ) from None


def to_low_s(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    """The same ECDSA signature in its low-S form; unchanged bytes when it is low-S already.

    Parameters:
        signature: DER `SEQUENCE{INTEGER r, INTEGER s}`.
        curve: the signing key's curve.

    Raises:
        SignatureError: INVALID_SIGNATURE, not such a sequence; UNSUPPORTED_KEY, unknown curve.
    """
    r, s, _ = _decode(signature)
    order = curve_order(curve)
    if s <= order >> 1:
        return signature
    return encode_dss_signature(r, order - s)


def sign(private_key: PrivateKeyTypes, message: bytes) -> bytes:
    """Sign a message: ECDSA over its SHA-256 in DER low-S, or raw Ed25519.

    Raises:
        SignatureError: UNSUPPORTED_KEY, neither an ECDSA nor an Ed25519 key.
    """
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        return private_key.sign(message)
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return to_low_s(private_key.sign(message, _SHA256_ECDSA), private_key.curve)
    raise _unsupported(private_key)


def sign_digest(private_key: PrivateKeyTypes, digest: bytes) -> bytes:
    """Sign the SHA-256 digest of a message in DER low-S; what a `Signer` does.

    Raises:
        SignatureError: UNSUPPORTED_KEY, not an ECDSA key (Ed25519 signs messages, not digests);
            INVALID_DIGEST, not 32 bytes.
    """
    if len(digest) != DIGEST_LENGTH:
        raise _not_a_digest(digest)
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return to_low_s(private_key.sign(digest, _PREHASHED_ECDSA), private_key.curve)
    raise _unsupported(private_key)


def key_signer(private_key: ec.EllipticCurvePrivateKey) -> Signer:
    """A `Signer` for a key at hand.

    Raises:
        SignatureError: UNSUPPORTED_KEY, a curve that Fabric does not take; by the signer INVALID_DIGEST, not
            32 bytes.
    """
    order = curve_order(private_key.curve)
    # Looked up once: a signer signs often.
    sign_with, half = private_key.sign, order >> 1

    def signer(digest: bytes) -> bytes:
        if len(digest) != DIGEST_LENGTH:
            raise _not_a_digest(digest)
        signature = sign_with(digest, _PREHASHED_ECDSA)
        r, s = decode_dss_signature(signature)
        return signature if s <= half else encode_dss_signature(r, order - s)

    return signer


def verify(public_key: PublicKeyTypes, signature: bytes, message: bytes, digest: bytes | None = None) -> None:
    """Check a signature over a message, as every MSP does.

    Parameters:
        public_key: ECDSA or Ed25519.
        signature: what is checked.
        message: what should be signed.
        digest: its SHA-256, where the caller has just made it: a message is long, and hashed once.

    Raises:
        SignatureError: HIGH_S_SIGNATURE, an ECDSA signature that is not low-S; INVALID_SIGNATURE, it does not
            hold or is not one; UNSUPPORTED_KEY, neither an ECDSA nor an Ed25519 key.
    """
    try:
        if _is_ecdsa(type(public_key)):
            hashed = sha256(message).digest() if digest is None else digest
            public_key.verify(_checked(signature, public_key.curve), hashed, _PREHASHED_ECDSA)  # type: ignore[union-attr, call-arg, arg-type]
        elif isinstance(public_key, ed25519.Ed25519PublicKey):
            public_key.verify(signature, message)
        else:
            raise _unsupported(public_key)
    except InvalidSignature:
        raise SignatureError(
            "INVALID_SIGNATURE", "the signature does not belong to this message and key"
        ) from None


@cache
def _is_ecdsa(kind: type) -> bool:
    """Whether public keys of this class are ECDSA's; asking an abstract class each time takes longer."""
    return issubclass(kind, ec.EllipticCurvePublicKey)


def _checked(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    r, s, is_strict = _decode(signature)
    if r <= 0 or s <= 0:
        raise SignatureError("INVALID_SIGNATURE", "r and s of an ECDSA signature must be positive")
    if s > curve_order(curve) >> 1:
        raise SignatureError("HIGH_S_SIGNATURE", "Invalid S. Must be smaller than half the order")
    # OpenSSL takes strict DER only, of which there is one form.
    return signature if is_strict else encode_dss_signature(r, s)


def _decode(signature: bytes) -> tuple[int, int, bool]:
    """The two integers, and whether they are written in strict DER."""
    try:
        return *decode_dss_signature(signature), True
    except ValueError:
        pass
    # Go's decoder, whose verdict counts on a channel, forgives bytes after the two integers.
    try:
        return *read_integer_pair(signature), False
    except DerError as error:
        raise SignatureError(
            "INVALID_SIGNATURE", f"an ECDSA signature is DER SEQUENCE{{r, s}}: {error}"
        ) from None


def _not_a_digest(digest: bytes) -> SignatureError:
    return SignatureError("INVALID_DIGEST", f"a SHA-256 digest has {DIGEST_LENGTH} bytes, got {len(digest)}")


def _unsupported(key: object) -> SignatureError:
    return SignatureError(
        "UNSUPPORTED_KEY", f"expected an ECDSA or Ed25519 key, got {type(key).__name__.lstrip('_')}"
    )
