"""OpenSSF model signing: sign a model's files, verify a bundle against them, and what the ledger keeps of it.

Signing and verifying need the library `model-signing` (`pip install consentry[signing]`); reading a bundle
does not.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from consentry.errors import ConfigurationError, InputRejected
from consentry.transactions import checked
from consentry_records.digest import sha256_digest
from consentry_records.model_signature import ManifestSignature, manifest_digest


def sign_model(model: Path, private_key: Path, bundle: Path) -> None:
    """Sign all files of a model with an ECDSA P-256 key (PEM) and write the bundle.

    Raises:
        ConfigurationError: MODEL_SIGNING_MISSING, the library is not installed.
        InputRejected: MODEL_NOT_SIGNABLE.
    """
    signing = _library("signing")
    try:
        signing.Config().use_elliptic_key_signer(private_key=private_key).sign(model, bundle)
    except (ValueError, OSError) as error:
        raise InputRejected("MODEL_NOT_SIGNABLE", f"{model} cannot be signed: {error}") from error


def verify_model(model: Path, public_key: Path, bundle: Path) -> None:
    """Verify that a bundle is the signature of exactly these files under a public key (PEM).

    Raises:
        ConfigurationError: MODEL_SIGNING_MISSING, the library is not installed.
        InputRejected: MODEL_SIGNATURE_INVALID.
    """
    verifying = _library("verifying")
    try:
        verifying.Config().use_elliptic_key_verifier(public_key=public_key).verify(model, bundle)
    except (ValueError, OSError) as error:
        raise InputRejected(
            "MODEL_SIGNATURE_INVALID", f"the bundle is not the signature of the files in {model}: {error}"
        ) from error


def manifest_signature(bundle: Path, public_key: Path) -> ManifestSignature:
    """Return what the ledger keeps of a bundle: digests, key and signature, and no file's name.

    Raises:
        InputRejected: BUNDLE_INVALID, a file that is no bundle with one DSSE signature, or no public key.
    """
    try:
        data = bundle.read_bytes()
        envelope = json.loads(data)["dsseEnvelope"]
        (signature,) = envelope["signatures"]
        payload, signed = base64.b64decode(envelope["payload"]), base64.b64decode(signature["sig"])
        key = load_pem_public_key(public_key.read_bytes())
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        payload_type = str(envelope["payloadType"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRejected(
            "BUNDLE_INVALID",
            f"expected a signing bundle and its public key, got {bundle}, {public_key}",
        ) from error
    return checked(
        lambda: ManifestSignature(
            manifest_digest=manifest_digest(payload, payload_type),
            bundle_digest=sha256_digest(data),
            public_key=base64.b64encode(encoded).decode(),
            signature=base64.b64encode(signed).decode(),
        )
    )


def _library(name: str) -> Any:
    try:
        import model_signing
    except ImportError as error:
        raise ConfigurationError(
            "MODEL_SIGNING_MISSING", "the library model-signing is not installed; install consentry[signing]"
        ) from error
    return getattr(model_signing, name)
