"""A manifest of a run's files, signed with the key of whoever ran it: what was delivered, provable later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from consentry.errors import ConsentryError
from consentry.identity import WalletIdentity
from consentry_records import canonical
from consentry_records.errors import LedgerError

FORMAT = "consentry.delivery/1"


class ManifestRefused(ConsentryError):
    """A manifest does not hold, or a file is not the one that it names."""


def sign_manifest(
    identity: WalletIdentity, files: Mapping[str, bytes], described: Mapping[str, str | int]
) -> bytes:
    """Write a manifest.

    Args:
        identity: whose key signs.
        files: the delivered files by name.
        described: what the run was, from `delivered.described`.

    Returns:
        Canonical JSON (RFC 8785) with the certificate and an ECDSA signature over everything else.
    """
    content: dict[str, Any] = {
        **described,
        "format": FORMAT,
        "files": {name: _digest(data) for name, data in files.items()},
        "msp_id": identity.msp_id,
        "certificate": identity.certificate_pem.decode(),
    }
    signature = identity.signer(hashlib.sha256(canonical.encode(content)).digest())
    return canonical.encode({**content, "signature": signature.hex()})


def named_files(manifest: bytes) -> tuple[str, ...]:
    """Names of the files in a manifest that is not checked yet.

    Raises:
        ManifestRefused: MANIFEST_INVALID.
    """
    try:
        return tuple(str(name) for name in canonical.decode(manifest)["files"])
    except (LedgerError, ValueError, KeyError, TypeError) as error:
        raise _invalid() from error


def verify_manifest(manifest: bytes, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Check a manifest and the files that it names.

    Whether the certificate is one of its organization's is for the reader to check: `consentry verify` knows
    the organizations.

    Returns:
        The manifest's content without its signature.

    Raises:
        ManifestRefused: MANIFEST_INVALID, SIGNATURE_INVALID, FILE_DIFFERS (its sentence names the file).
    """
    try:
        content = canonical.decode(manifest)
        signature = bytes.fromhex(content.pop("signature"))
        certificate = x509.load_pem_x509_certificate(content["certificate"].encode())
        named: dict[str, str] = dict(content["files"])
        key = certificate.public_key()
    except (LedgerError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid() from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or content.get("format") != FORMAT:
        raise ManifestRefused("MANIFEST_INVALID", f"The manifest is not of the form {FORMAT}.")
    try:
        key.verify(signature, canonical.encode(content), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise ManifestRefused("SIGNATURE_INVALID", "The manifest was changed: its signature fails.") from None
    for name, digest in named.items():
        if name not in files or _digest(files[name]) != digest:
            raise ManifestRefused("FILE_DIFFERS", f"{name} is missing, or not the file that was delivered.")
    return dict(content)


def _invalid() -> ManifestRefused:
    return ManifestRefused("MANIFEST_INVALID", "This is no manifest of delivered reports.")


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
