"""Fabric CA's authorization token: a certificate, and a signature by its key over method, URI and body.

Source: Fabric CA v1.5 `util/util.go · GenECDSAToken, VerifyToken` (the form
since v1.4; the older one is not taken).
"""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fabric_embedded.ca.errors import authentication_failure
from fabric_protocol.ca_token import token_message
from fabric_protocol.errors import IdentityError, SignatureError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.signatures import verify


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
