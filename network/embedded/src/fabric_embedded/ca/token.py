"""Fabric CA's authorization token: a certificate, and a signature by its key over method, URI and body.

Source: Fabric CA v1.5 `util/util.go · GenECDSAToken, VerifyToken` (the form
since v1.4; the older one is not taken).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fabric_embedded.ca.errors import authentication_failure
from fabric_protocol.errors import IdentityError, SignatureError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.signatures import verify


def token_message(method: str, uri: str, body: bytes, certificate_pem: bytes) -> bytes:
    """The bytes that a token's signature is over (ECDSA over their SHA-256, DER, low-S).

    Parameters:
        method: HTTP method, upper case.
        uri: request URI, path and query as they stand in the request line.
        body: request body, empty if none.
        certificate_pem: the certificate's PEM, byte for byte as in the token.
    """
    parts = (uri.encode("utf-8"), body, certificate_pem)
    return b".".join([method.encode("ascii"), *(base64.b64encode(part) for part in parts)])


def build_token(
    method: str, uri: str, body: bytes, certificate_pem: bytes, sign: Callable[[bytes], bytes]
) -> str:
    """A token for this request; `sign` makes the DER signature over the message (it hashes)."""
    signature = sign(token_message(method, uri, body, certificate_pem))
    return f"{base64.b64encode(certificate_pem).decode()}.{base64.b64encode(signature).decode()}"


def check_token(token: str, method: str, uri: str, body: bytes) -> x509.Certificate:
    """The certificate of whoever made this token for this request; whose it is, is not checked here.

    Raises:
        CaError: authentication failure.
    """
    encoded_certificate, separator, encoded_signature = token.partition(".")
    if not separator or "." in encoded_signature:
        raise authentication_failure("invalid token: expected two parts")
    certificate_pem, signature = _decode(encoded_certificate), _decode(encoded_signature)
    try:
        certificate = parse_certificate(certificate_pem)
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise authentication_failure("invalid token: not an ECDSA key")
        verify(key, signature, token_message(method, uri, body, certificate_pem))
    except (IdentityError, SignatureError, ValueError) as error:
        raise authentication_failure("invalid token: certificate or signature") from error
    return certificate


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise authentication_failure("invalid token: not base64") from error
