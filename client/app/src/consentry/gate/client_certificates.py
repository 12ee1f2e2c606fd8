"""Mutual TLS: the certificate that a recipient shows to a gate that demands one, besides signing."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from consentry.errors import ConfigurationError
from consentry.identity import WalletIdentity
from consentry.private_files import refuse_exposed, write_private
from consentry.profile import NetworkProfile

_CODE = "CLIENT_CERTIFICATE_INVALID"


def own_certificate(profile: NetworkProfile) -> Path:
    """Return where a member keeps a TLS certificate with its key for gates, if not the ledger's are shown."""
    return profile.directory / "gates" / "client.pem"


def show_certificate(context: ssl.SSLContext, own: Path, identity: WalletIdentity) -> None:
    """Have a TLS context show the certificate in `own`, or the ledger identity's; to gates that ask for it.

    A key on a token cannot be used for TLS: without `own` nothing is shown then.

    Raises:
        ConfigurationError: CLIENT_CERTIFICATE_INVALID, PATH_EXPOSED.
    """
    if own.exists():
        refuse_exposed(own)
        _load(context, own)
    elif not identity.is_on_token:
        # The library reads certificates from files alone.
        with tempfile.TemporaryDirectory(prefix="consentry-") as directory:
            path = Path(directory) / "identity.pem"
            write_private(path, identity.certificate_pem + b"\n" + identity.private_key_pem)
            _load(context, path)


def check_roots(path: Path) -> None:
    """Refuse a file in which no certificates are, before a gate demands what they vouch for.

    Raises:
        ConfigurationError: CLIENT_ROOTS_INVALID.
    """
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            "CLIENT_ROOTS_INVALID", f"{path}: expected PEM certificates of authorities for clients"
        ) from error


def _load(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_cert_chain(path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(_CODE, f"{path}: expected a PEM certificate and its key") from error
