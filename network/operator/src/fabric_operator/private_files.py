"""Files that nobody but their owner can read, at any instant; keys above all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KeyPair:
    """Paths of one certificate (PEM) and its private key (PEM, PKCS#8, mode 0600)."""

    certificate: Path
    key: Path

    @classmethod
    def within(cls, directory: Path, prefix: str = "") -> KeyPair:
        """The pair `certificate.pem` and `key.pem` of a directory, their names begun by `prefix`."""
        return cls(directory / f"{prefix}certificate.pem", directory / f"{prefix}key.pem")


def write_pair(pair: KeyPair, certificate: bytes, key: bytes) -> None:
    """Write a certificate and its key, the key for its owner only."""
    write_private(pair.certificate, certificate)
    write_private(pair.key, key)


def write_private(path: Path, data: bytes, *, executable: bool = False) -> None:
    """Write a new file with mode 0600 in a directory with mode 0700; never readable by others in between."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700 if executable else 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - an open descriptor has no path
        file.write(data)


def replace_private(path: Path, data: bytes) -> None:
    """Write a file with mode 0600 whole or not at all, in place of one that is there."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    write_private(temporary, data)
    temporary.replace(path)


def sync_tree(directory: Path) -> None:
    """Have everything in a directory on the disk: a ledger that outlives its keys is worth nothing."""
    for entry in directory.iterdir():
        if entry.is_dir():
            sync_tree(entry)
        else:
            sync(entry)
    sync(directory)


def sync(path: Path) -> None:
    """Have a file, or a directory's list of names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
