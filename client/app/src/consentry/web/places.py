"""Files of the pages: the certificate for trials, and the authorities of client certificates."""

from __future__ import annotations

from pathlib import Path

from consentry.attach.channel import msp_roots_of, read_configuration
from consentry.https_serving import Certificate, self_signed
from consentry.ledger import Ledger
from consentry.private_files import make_private_directory, write_private


def trial_certificate(directory: Path, host: str) -> Certificate:
    """A certificate for trials, made anew.

    Raises:
        ConfigurationError: PATH_EXPOSED.
    """
    make_private_directory(directory)
    return self_signed(directory, host, "consentry web")


def client_roots(directory: Path, ledger: Ledger) -> Path:
    """A file with the authorities of the own organization's MSP, as the channel names them now.

    Raises:
        ConfigurationError: CHANNEL_UNREADABLE, PATH_EXPOSED.
    """
    make_private_directory(directory)
    path = directory / "client-roots.pem"
    roots = msp_roots_of(read_configuration(ledger.network), ledger.identity.msp_id)
    write_private(path, roots, replace=True)
    return path
