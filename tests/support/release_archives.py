"""Archives laid out like Fabric's releases, with scripts in the place of executables."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Iterable
from pathlib import Path

from fabric_native.installing import FABRIC, Release


def script(version: str) -> bytes:
    return f"#!/bin/sh\nprintf ' Version: v{version}\\n'\n".encode()


def regular(name: str, content: bytes, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    return member, content


def write_archive(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return path


def release_archive(path: Path, version: str = "3.1.5") -> Path:
    """A release with executables of a version, and some 400 kB that gzip cannot make smaller."""
    ballast = random.Random(7).randbytes(400_000)
    return write_archive(
        path,
        [
            regular("bin/peer", script(version)),
            regular("bin/orderer", script(version)),
            regular("config/core.yaml", b"peer: {}\n", 0o644),
            regular("config/ballast", ballast, 0o644),
        ],
    )


def release_of(archive: bytes) -> Release:
    return Release(FABRIC, "3.1.5", "linux-amd64", hashlib.sha256(archive).hexdigest())
