"""Installed chaincode packages of one peer: files that outlive the engine (`persistence.go · Store`)."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Final

from fabric_embedded.errors import ChaincodeError

_FILE: Final = re.compile(r"(.+)\.([0-9a-f]{64})\.tar\.gz")


class PackageStore:
    """Packages in a directory, each in a file `label.hash.tar.gz` with mode 0600: it may hold a client key.

    Parameters:
        directory: made with the first package.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def package_ids(self) -> list[str]:
        """Ids of all packages, sorted."""
        if not self._directory.is_dir():
            return []
        names = (_FILE.fullmatch(path.name) for path in self._directory.iterdir())
        return sorted(f"{name[1]}:{name[2]}" for name in names if name)

    def load(self, package_id: str) -> bytes | None:
        """Bytes of a package; None where there is none.

        Raises:
            ChaincodeError: PACKAGE_UNREADABLE.
        """
        if package_id not in self.package_ids():
            return None
        try:
            return self._path(package_id).read_bytes()
        except OSError as error:
            raise ChaincodeError(
                "PACKAGE_UNREADABLE", f"error reading chaincode install package at {self._path(package_id)}"
            ) from error

    def save(self, package_id: str, data: bytes) -> None:
        """Keep a package; it is on disk when this returns, whole or not at all. One that is there stays.

        Raises:
            ChaincodeError: PACKAGE_UNWRITABLE.
        """
        path = self._path(package_id)
        try:
            if path.exists():
                return
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._directory)
            try:
                with open(descriptor, "wb") as file:  # noqa: PTH123 - an open descriptor has no path
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _sync(self._directory)
            _sync(self._directory.parent)
        except OSError as error:
            raise ChaincodeError(
                "PACKAGE_UNWRITABLE",
                "could not save cc install package: error writing chaincode install package to "
                f"{path}: {error.strerror}",
            ) from error

    def _path(self, package_id: str) -> Path:
        label, _, digest = package_id.rpartition(":")
        return self._directory / f"{label}.{digest}.tar.gz"


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
