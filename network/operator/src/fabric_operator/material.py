"""Key material of a network on disk, read."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fabric_operator.errors import MaterialError
from fabric_operator.private_files import KeyPair
from fabric_protocol.certificates import CertificateAuthority
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.identities import serialize_identity
from fabric_protocol.signatures import key_signer


def read_authority(pair: KeyPair) -> CertificateAuthority:
    """Load a certificate and its key, as whoever issues with them does.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = load_pem_private_key(pair.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise MaterialError("MATERIAL_UNREADABLE", f"cannot read the pair {pair.certificate}") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise MaterialError("MATERIAL_UNREADABLE", f"expected an ECDSA key in {pair.key}")
    return CertificateAuthority(certificate, key)


def read_administrator(pair: KeyPair, msp_id: str) -> ConfigSigner:
    """An administrator, as a signer.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    authority = read_authority(pair)
    identity = serialize_identity(msp_id, pair.certificate.read_bytes())
    return ConfigSigner(identity, key_signer(authority.private_key))


def read_registrar(path: Path) -> tuple[str, str]:
    """Enrolment id and secret of a CA's registrar.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return str(fields["id"]), str(fields["secret"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MaterialError("MATERIAL_UNREADABLE", f"cannot read the registrar in {path}") from error
