"""From an archive, downloaded or brought, to executables in the per-user directory."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fabric_native.binaries import Binary, find_binary
from fabric_native.errors import BinariesNotFoundError, InstallationError
from fabric_native.installing.download import Progress, download
from fabric_native.installing.releases import Release
from fabric_native.installing.unpacking import unpack

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Installed:
    """What was installed: the release, where, and its executables with the versions that they told."""

    release: Release
    directory: Path
    binaries: tuple[Binary, ...]


def install(
    release: Release,
    directory: Path,
    *,
    archive: Path | None = None,
    sha256: str | None = None,
    mirror: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Installed:
    """Install a release; what is there already is replaced only by a release that passed every check.

    The digest is checked before anything is unpacked. A download that broke off stays in
    `directory`/downloads and is continued by the next run; a wrong digest leaves nothing.

    Args:
        release: Which, see :func:`fabric_native.installing.release_for`.
        directory: Where `bin` shall be; made when absent.
        archive: A file to take instead of a download; it is only read.
        sha256: The archive's digest, needed where none is pinned.
        mirror: Address of a directory to download from instead of the release's own.
        progress: Told of every piece of a download.

    Raises:
        InstallationError: DIGEST_UNKNOWN, DIGEST_MALFORMED, DIGEST_DISAGREES, DIGEST_WRONG, ARCHIVE_MISSING,
            ARCHIVE_REFUSED, ARCHIVE_UNFIT, DOWNLOAD_FAILED, INSTALLATION_BUSY or DIRECTORY_UNWRITABLE.
    """
    expected = release.expected_digest(sha256)
    try:
        with _alone(directory):
            if archive is not None:
                _check_brought(archive, expected)
                return _unpack_checked(release, archive, directory)
            fetched = directory / "downloads" / release.file_name
            fetched.parent.mkdir(exist_ok=True)
            try:
                download(f"{(mirror or release.address).rstrip('/')}/{release.file_name}", fetched, progress)
            finally:
                _remove_if_empty(fetched.parent)
            try:
                _check_downloaded(fetched, expected)
                return _unpack_checked(release, fetched, directory)
            finally:
                shutil.rmtree(fetched.parent)
    except OSError as error:
        raise InstallationError(
            "DIRECTORY_UNWRITABLE",
            f"{error.filename or directory} cannot be written: {error.strerror or error}; make room or name "
            "another directory",
        ) from error


def _check_brought(archive: Path, expected: str) -> None:
    try:
        got = _digest(archive)
    except OSError as error:
        raise InstallationError(
            "ARCHIVE_MISSING", f"{archive} cannot be read: {error.strerror or error}"
        ) from error
    if got != expected:
        raise InstallationError(
            "DIGEST_WRONG", f"{archive} has SHA-256 {got}, expected {expected}; nothing was unpacked"
        )


def _check_downloaded(fetched: Path, expected: str) -> None:
    got = _digest(fetched)
    if got != expected:
        raise InstallationError(
            "DIGEST_WRONG",
            f"what was downloaded has SHA-256 {got}, expected {expected}; it was deleted, not unpacked",
        )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _unpack_checked(release: Release, archive: Path, directory: Path) -> Installed:
    """Unpack beside the place, ask the executables for their version, and only then move them there."""
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=directory) as room:
        unpack(archive, Path(room))
        try:
            for name in release.binaries:
                find_binary(name, Path(room) / "bin", environment={})
        except BinariesNotFoundError as error:
            raise InstallationError(
                "ARCHIVE_UNFIT", f"{archive} does not work on this machine: {error}"
            ) from error
        for source in sorted(path for path in Path(room).rglob("*") if path.is_file()):
            place = directory / source.relative_to(room)
            place.parent.mkdir(parents=True, exist_ok=True)
            source.replace(place)
    binaries = tuple(find_binary(name, directory / "bin", environment={}) for name in release.binaries)
    return Installed(release, directory, binaries)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Two installations into one directory would mix their files. A refused one leaves no directory."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InstallationError(
            "INSTALLATION_BUSY", f"another installation into {directory} is running; wait for its end"
        ) from None
    finally:
        os.close(handle)
        _remove_if_empty(directory)


def _remove_if_empty(directory: Path) -> None:
    if not any(directory.iterdir()):
        directory.rmdir()
