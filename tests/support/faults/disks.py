"""Disks that are slow or full."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_CONTROLLER = Path("/sys/fs/cgroup/blkio")
_WRITES_A_SECOND = 10
_CHUNK = b"\0" * (1 << 20)


def slow_disks_allowed() -> bool:
    """Whether the kernel can slow a process's writes (cgroup blkio) and lets us ask it to."""
    return os.access(_CONTROLLER / "blkio.throttle.write_iops_device", os.R_OK) and os.geteuid() == 0


@contextlib.contextmanager
def slow_disk(pid: int, place: Path) -> Iterator[None]:
    """A process may make so many writes a second only to the disk under a directory."""
    group = _CONTROLLER / f"consentry-{os.getpid()}-{pid}"
    group.mkdir()
    try:
        (group / "blkio.throttle.write_iops_device").write_text(f"{_disk(place)} {_WRITES_A_SECOND}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            (_CONTROLLER / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _disk(place: Path) -> str:
    """Numbers of the disk that a file system is on; limits are for disks, not for their partitions."""
    device = place.stat().st_dev
    numbers = f"{os.major(device)}:{os.minor(device)}"
    entry = Path("/sys/dev/block") / numbers
    if (entry / "partition").exists():
        return (entry.resolve().parent / "dev").read_text().strip()
    return numbers


@contextlib.contextmanager
def full_disk(place: Path) -> Iterator[None]:
    """Fill the file system of a directory to the last byte; it is one of the test's own."""
    ballast = place / "ballast"
    try:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(_CHUNK)
        yield
    finally:
        ballast.unlink(missing_ok=True)
