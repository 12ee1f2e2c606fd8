"""TLS of an administrator's connections to the nodes of his organization."""

from __future__ import annotations

import ssl

from fabric_operator.private_files import KeyPair


def client_context(roots: bytes, client: KeyPair | None = None) -> ssl.SSLContext:
    """A context that trusts these roots alone (PEM), and shows a certificate where one is given."""
    context = ssl.create_default_context(cadata=roots.decode("ascii"))
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context
