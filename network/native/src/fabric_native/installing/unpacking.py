"""Unpack a release archive: regular files and directories below one directory, and nothing else."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from fabric_native.errors import InstallationError

_MOST_MEMBERS = 2_000
_MOST_BYTES = 2 << 30
_TOP = ("bin", "builders", "config")


def unpack(archive: Path, target: Path) -> None:
    """Unpack a .tar.gz into the empty directory `target`.

    Links, devices, absolute paths and paths that lead out of `target` are refused, as are archives with
    other top-level directories than a release's, so that nothing but a release is ever unpacked.

    Raises:
        InstallationError: ARCHIVE_REFUSED, with the member; `target` then holds part of it.
    """
    try:
        with tarfile.open(archive, "r:gz") as members:
            _extract(members, target)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InstallationError("ARCHIVE_REFUSED", f"{archive} is no .tar.gz archive: {error}") from error


def _extract(members: tarfile.TarFile, target: Path) -> None:
    total = 0
    for count, member in enumerate(members, start=1):
        path = _inside(member)
        total += member.size
        if count > _MOST_MEMBERS or total > _MOST_BYTES:
            raise InstallationError(
                "ARCHIVE_REFUSED",
                f"more than {_MOST_MEMBERS} members or {_MOST_BYTES} bytes; a release has less",
            )
        if path is None:
            continue
        if member.isdir():
            (target / path).mkdir(parents=True, exist_ok=True)
            continue
        _write(members, member, target / path)


def _inside(member: tarfile.TarInfo) -> PurePosixPath | None:
    """The member's path below the target; None for the target itself."""
    path = PurePosixPath(member.name)
    if not (member.isreg() or member.isdir()):
        raise InstallationError(
            "ARCHIVE_REFUSED", f"{member.name!r} is a link or a device, expected files and directories only"
        )
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise InstallationError("ARCHIVE_REFUSED", f"{member.name!r} leads out of the target directory")
    if not path.parts:
        return None
    if path.parts[0] not in _TOP:
        raise InstallationError("ARCHIVE_REFUSED", f"got {member.name!r}, expected only {', '.join(_TOP)}")
    return path


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = members.extractfile(member)
    if source is None:
        raise InstallationError("ARCHIVE_REFUSED", f"{member.name!r} has no content")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source, path.open("xb") as file:
            shutil.copyfileobj(source, file)
    except FileExistsError:
        raise InstallationError("ARCHIVE_REFUSED", f"{member.name!r} is in the archive twice") from None
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
