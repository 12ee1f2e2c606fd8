"""Whole chains recorded from real networks, kept as archives: the same certificates stand in every block."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_DIRECTORY = Path(__file__).parents[2] / "fixtures" / "fabric-3.1.5"


def write_chain(name: str, blocks: Sequence[bytes]) -> Path:
    """Keep a chain's blocks, as a peer sent them, in an archive of NNN.block."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, block in enumerate(blocks):
            member = tarfile.TarInfo(f"{number:03}.block")
            member.size = len(block)
            archive.addfile(member, io.BytesIO(block))
    path = _DIRECTORY / f"{name}.tar.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(plain.getvalue(), 9, mtime=0))
    return path


@cache
def recorded_chain(name: str) -> tuple[bytes, ...]:
    """The blocks of `raft` or `bft`."""
    with tarfile.open(_DIRECTORY / f"{name}.tar.gz", "r:gz") as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        streams = [archive.extractfile(member) for member in members]
        return tuple(stream.read() for stream in streams if stream is not None)
