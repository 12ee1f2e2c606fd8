"""Files of the pages: the certificate for trials, and the authorities of client certificates."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from consentry.https_serving import Certificate, self_signed
from consentry.ledger import Ledger
from consentry.private_files import FILE_MODE, make_private_directory, refuse_exposed, write_private
from consentry.running_channel import msp_roots_of, read_configuration


def trial_certificate(directory: Path, host: str) -> Certificate:
    """A certificate for trials, made anew.

    Raises:
        ConfigurationError: PATH_EXPOSED.
    """
    make_private_directory(directory)
    return self_signed(directory, host, "consentry web")


class SignInFile:
    """What officers signed to sign in, a line each in a file for its owner alone; usable by many threads.

    The SHA-256 of a line without its end is the `sign_in_digest` of the reads on the ledger.
    """

    def __init__(self, directory: Path) -> None:
        """Open the file.

        Raises:
            ConfigurationError: PATH_EXPOSED.
        """
        make_private_directory(directory)
        self._path = directory / "sign-ins.jsonl"
        if not self._path.exists():
            self._path.touch(FILE_MODE)
        refuse_exposed(self._path)
        self._lock = threading.Lock()

    def keep(self, signed: bytes) -> None:
        """Keep what was signed; it is synced to disk when this returns."""
        with self._lock, self._path.open("ab") as file:
            file.write(signed + b"\n")
            file.flush()
            os.fsync(file.fileno())


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
