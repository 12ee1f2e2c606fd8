"""An identity in Fabric's MSP directory layout, as cryptogen, fabric-ca-client and other tools write it."""

from __future__ import annotations

from pathlib import Path

from consentry.errors import ConfigurationError
from consentry.wallet import WalletIdentity


def read_msp_directory(directory: Path, msp_id: str) -> WalletIdentity:
    """Read `signcerts` and `keystore` of a user's MSP directory.

    Raises:
        ConfigurationError: MSP_DIRECTORY_INVALID, a part is missing or there are several; WALLET_INVALID, the
            key does not fit the certificate.
    """
    certificate, key = _only_file(directory / "signcerts"), _only_file(directory / "keystore")
    return WalletIdentity(msp_id, certificate, key)


def _only_file(directory: Path) -> bytes:
    files = sorted(path for path in directory.glob("*") if path.is_file())
    if len(files) != 1:
        raise ConfigurationError(
            "MSP_DIRECTORY_INVALID",
            f"{directory} has {len(files)} files, expected one; name a user's MSP directory",
        )
    try:
        return files[0].read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "MSP_DIRECTORY_INVALID", f"{files[0]} cannot be read: {error.strerror or error}"
        ) from error
