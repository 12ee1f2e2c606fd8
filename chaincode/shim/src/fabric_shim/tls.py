"""TLS contexts from PEM that is in memory, for the service and for who dials a peer."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from fabric_shim.peer_settings import PeerTlsSettings
from fabric_shim.settings import TlsSettings


def service_context(tls: TlsSettings) -> ssl.SSLContext:
    """Context of a service; with client authorities it admits only peers that they certify.

    Raises:
        ssl.SSLError: the key or a certificate cannot be used, or they do not fit.
        ValueError: authorities are given, and there is none in them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_own(context, tls.certificate, tls.key)
    if tls.client_authorities is not None:
        _load_authorities(context, tls.client_authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    return _for_grpc(context)


def peer_context(tls: PeerTlsSettings) -> ssl.SSLContext:
    """Context of chaincode that dials its peer.

    Raises:
        ssl.SSLError: the key or a certificate cannot be used, or they do not fit.
        ValueError: authorities are given, and there is none in them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load_authorities(context, tls.root_certificates)
    if tls.key is not None and tls.certificate is not None:
        _load_own(context, tls.certificate, tls.key)
    return _for_grpc(context)


def _for_grpc(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    return context


def _load_authorities(context: ssl.SSLContext, pem: bytes) -> None:
    # As in Go: whom the operator names is trusted, an intermediate CA too.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem.decode("ascii", "ignore"))


def _load_own(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # OpenSSL takes a private key from a file only: one that nobody else can read, and gone at once.
    with tempfile.NamedTemporaryFile(prefix="fabric-shim-", delete=False) as file:
        try:
            file.write(key.rstrip() + b"\n" + certificate)
            file.close()
            context.load_cert_chain(file.name, password=b"")
        finally:
            Path(file.name).unlink()
