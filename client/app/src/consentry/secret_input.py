"""Passphrases and PINs: from a file for its owner alone, or asked at the terminal; never as arguments."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from consentry.errors import ConfigurationError
from consentry.private_files import refuse_exposed
from consentry.profile import NetworkProfile
from consentry.wallet import Secret, Wallet

PASSPHRASE_FILE = "CONSENTRY_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable, no secret
PIN_FILE = "CONSENTRY_PIN_FILE"


def wallet_of(
    profile: NetworkProfile, organization: str, environment: Mapping[str, str] | None = None
) -> Wallet:
    """Return an organization's wallet below network.json; passphrase and PIN come as `secret` says."""
    variables = os.environ if environment is None else environment
    return Wallet(
        profile.wallet_directory(organization),
        passphrase=secret(PASSPHRASE_FILE, "Passphrase of the wallet", variables),
        pin=secret(PIN_FILE, "PIN of the token", variables),
    )


def secret(variable: str, prompt: str, environment: Mapping[str, str]) -> Secret:
    """Return what gets a secret when it is needed: the first line of the file that `variable` names, or,
    without one, what is typed at the terminal.

    Raises (when called):
        ConfigurationError: SECRET_MISSING, neither; PATH_EXPOSED, others may read the file.
    """

    def ask() -> str:
        named = environment.get(variable)
        if named:
            return _first_line(Path(named), variable)
        if sys.stdin is None or not sys.stdin.isatty():
            raise ConfigurationError(
                "SECRET_MISSING",
                f"{prompt}: no terminal to ask at; name a file (mode 0600) that holds it by {variable}",
            )
        return getpass.getpass(f"{prompt}: ")

    return ask


def _first_line(path: Path, variable: str) -> str:
    try:
        refuse_exposed(path)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise ConfigurationError("SECRET_MISSING", f"{path} ({variable}) cannot be read: {reason}") from error
    if not lines or not lines[0]:
        raise ConfigurationError("SECRET_MISSING", f"{path} ({variable}) is empty")
    return lines[0]
