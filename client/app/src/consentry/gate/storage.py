"""Stored objects of one version: sealed pieces written in order, read by range, in any storage that fsspec
knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.errors import ConfigurationError, ConsentryError
from consentry_records.identifiers import identifier_pattern

_VERSION = identifier_pattern("version")
_NONCE_BYTES = 12


class StorageFailed(ConsentryError):
    """The storage did not do what it was asked; code STORAGE_FAILED or STORAGE_UNAVAILABLE."""


class Sealer:
    """AES-256-GCM over numbered pieces of one version: none can be altered, swapped, left out or moved.

    The nonce is the piece's number; a key is drawn anew for every writing of a version, so none comes twice.
    """

    def __init__(self, key: bytes, version_id: str) -> None:
        self._cipher = AESGCM(key)
        self._version = version_id.encode()

    def seal(self, number: int, data: bytes) -> bytes:
        """Encrypt a piece; its ciphertext is 16 bytes longer."""
        return self._cipher.encrypt(number.to_bytes(_NONCE_BYTES, "big"), data, self._version)

    def unseal(self, number: int, data: bytes) -> bytes:
        """Decrypt a piece.

        Raises:
            ConfigurationError: STORE_DAMAGED, it is not that piece of this version.
        """
        try:
            return self._cipher.decrypt(number.to_bytes(_NONCE_BYTES, "big"), data, self._version)
        except InvalidTag as error:
            raise ConfigurationError(
                "STORE_DAMAGED",
                f"piece {number} of {self._version.decode()} does not decrypt; it was altered",
            ) from error


class Storage:
    """A folder, or a bucket (`s3://…` needs the package s3fs), with a directory for each version.

    Versions are named by their ids alone; nothing that anybody else chose becomes part of a path.
    """

    def __init__(self, url: str) -> None:
        """Use a path or an fsspec URL; where its credentials come from, its own library says.

        Raises:
            StorageFailed: STORAGE_UNAVAILABLE, this kind of storage is not installed.
        """
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StorageFailed(
                "STORAGE_UNAVAILABLE", f"this kind of storage is not there: {error}"
            ) from error

    @contextmanager
    def writing(self, version_id: str, name: str) -> Iterator[Any]:
        """Open an object for writing in order; it counts only once the version's index names it."""
        with _failing():
            self._files.makedirs(self._directory(version_id), exist_ok=True)
            with self._files.open(f"{self._directory(version_id)}/{name}", "wb") as file:
                yield file

    def write(self, version_id: str, name: str, data: bytes) -> None:
        """Write an object that appears whole."""
        with self.writing(version_id, f"{name}.new") as file:
            file.write(data)
        with _failing():
            place = f"{self._directory(version_id)}/{name}"
            self._files.mv(f"{place}.new", place)

    def read(self, version_id: str, name: str, start: int | None = None, stop: int | None = None) -> bytes:
        """Return the bytes [start, stop) of an object, or all.

        Raises:
            FileNotFoundError: there is no such object.
            StorageFailed: STORAGE_FAILED.
        """
        with _failing():
            return bytes(self._files.cat_file(f"{self._directory(version_id)}/{name}", start=start, end=stop))

    def names(self, version_id: str) -> tuple[str, ...]:
        """Return the names of a version's objects; of one that has none, none."""
        with _failing():
            self._files.invalidate_cache()
            if not self._files.exists(self._directory(version_id)):
                return ()
            found = self._files.ls(self._directory(version_id), detail=False)
        return tuple(sorted(place.rsplit("/", 1)[-1] for place in found))

    def drop(self, version_id: str, name: str) -> None:
        """Remove one object."""
        with _failing():
            self._files.rm_file(f"{self._directory(version_id)}/{name}")

    def remove(self, version_id: str) -> None:
        """Remove everything of a version."""
        with _failing():
            if self._files.exists(self._directory(version_id)):
                self._files.rm(self._directory(version_id), recursive=True)

    def _directory(self, version_id: str) -> str:
        if not _VERSION.fullmatch(version_id):
            raise ValueError("expected the id of a dataset version")
        return f"{self._root}/{version_id}"


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageFailed("STORAGE_FAILED", f"the storage failed: {reason}") from error
