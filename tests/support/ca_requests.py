"""Requests to a Fabric CA as a client makes them, for tests."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fabric_protocol.signatures import sign


def certificate_request(common_name: str, key: ec.EllipticCurvePrivateKey, *, unit: str | None = None) -> str:
    """PEM of a PKCS#10 request."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if unit is not None:
        names.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def basic(identity: str, secret: str) -> dict[str, str]:
    """Header of HTTP Basic authentication."""
    return {"authorization": "Basic " + base64.b64encode(f"{identity}:{secret}".encode()).decode()}


def signer(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    """Signs whole messages with a key."""
    return lambda message: sign(key, message)


def token(
    method: str, uri: str, body: bytes, certificate_pem: bytes, sign_message: Callable[[bytes], bytes]
) -> dict[str, str]:
    """Header of Fabric CA's token, built from its specification and not from the code under test."""
    encoded = [base64.b64encode(part).decode() for part in (uri.encode(), body, certificate_pem)]
    signature = sign_message(".".join([method, *encoded]).encode())
    return {"authorization": f"{encoded[2]}.{base64.b64encode(signature).decode()}"}
