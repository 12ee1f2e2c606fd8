"""Fabric CA's authorization token: a certificate, and a signature by its key over method, URI and body.

Source: Fabric CA v1.5 `util/util.go · GenECDSAToken, VerifyToken` (the form
since v1.4; the older one is not taken).
"""

import base64
from collections.abc import Callable


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
