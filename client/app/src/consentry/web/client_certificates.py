"""Client certificates: what a browser proved to have in the TLS handshake, as an officer."""

from __future__ import annotations

import asyncio
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from consentry.web.errors import PageRefused
from consentry.web.officer import Officer, own_member
from consentry.web.settings import WebSettings
from fabric_protocol.identities import serialize_identity

_EXTENSION = "consentry.client_certificate"


class CertificateProtocol(H11Protocol):
    """uvicorn's protocol, with the client's certificate (DER) in each request's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep what the handshake proved."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self.app_state = {**self.app_state, _EXTENSION: tls.getpeercert(binary_form=True) if tls else None}


def certified_officer(request: Request) -> Officer | None:
    """The officer whose certificate the browser proved to have; None without one, or with a stranger's."""
    der = _presented(request)
    if der is None:
        return None
    settings: WebSettings = request.app.state.settings
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    serialized = serialize_identity(settings.msp_id, pem)
    try:
        identity = own_member(settings.members(), serialized, settings.clock().timestamp(), settings.msp_id)
    except PageRefused:
        return None
    return Officer.of(identity)


def _presented(request: Request) -> bytes | None:
    state: dict[str, Any] = request.scope.get("state", {})
    found = state.get(_EXTENSION)
    return found if isinstance(found, bytes) else None
