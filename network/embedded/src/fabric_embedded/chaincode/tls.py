"""TLS towards a chaincode service, from PEM that is in memory."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path


def client_context(
    root_certificate: bytes, client_certificate: bytes | None, client_key: bytes | None
) -> ssl.SSLContext:
    """Context of a peer that dials a service; with certificate and key it proves itself, too.

    Raises:
        OSError: a certificate or the key cannot be used (ssl.SSLError), or no file can be written.
        ValueError: there is no root certificate in `root_certificate`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    # As in Go: whom the package names is trusted, an intermediate CA too.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=root_certificate.decode("ascii", "ignore"))
    if client_certificate is not None and client_key is not None:
        _load_own(context, client_certificate, client_key)
    return context


def _load_own(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # OpenSSL takes a private key from a file only: one that nobody else can read, and gone at once.
    with tempfile.NamedTemporaryFile(prefix="fabric-embedded-", delete=False) as file:
        try:
            file.write(key.rstrip() + b"\n" + certificate)
            file.close()
            context.load_cert_chain(file.name, password=b"")
        finally:
            Path(file.name).unlink()
