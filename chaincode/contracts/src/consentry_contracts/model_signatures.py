"""Verification of a model's signature inside the contract: every endorser does it, and alike."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from consentry_records.digest import digest_bytes
from consentry_records.errors import LedgerError
from consentry_records.model_signature import ManifestSignature


def verify(signature: ManifestSignature) -> None:
    """Refuse a signature that does not verify; raises MODEL_KEY_INVALID or MODEL_SIGNATURE_INVALID."""
    try:
        key = load_der_public_key(base64.b64decode(signature.public_key, validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise LedgerError("MODEL_KEY_INVALID") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise LedgerError("MODEL_KEY_INVALID")
    try:
        key.verify(
            base64.b64decode(signature.signature, validate=True),
            digest_bytes(signature.manifest_digest),
            ec.ECDSA(utils.Prehashed(SHA256())),
        )
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise LedgerError("MODEL_SIGNATURE_INVALID") from error
