"""A small file system of its own, for tests that fill it or make it read-only."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE = "24m"
_PAGE = bytes(4096)


class SmallDisk:
    """A mounted file system."""

    def __init__(self, mount: str, directory: Path) -> None:
        self._mount = mount
        self.directory = directory
        self._ballast = directory / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(_PAGE)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self) -> None:
        """Take away what `fill` wrote."""
        self._ballast.unlink()

    def remount(self, mode: str) -> None:
        """Make it read-only (`ro`) or writable (`rw`); nothing on it may be open for writing."""
        subprocess.run([self._mount, "-o", f"remount,{mode}", str(self.directory)], check=True)


@contextmanager
def small_disk(mount: str, directory: Path) -> Iterator[SmallDisk]:
    """A new file system at `directory`, with the `mount` command found there."""
    directory.mkdir()
    subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "tmpfs", str(directory)], check=True
    )
    try:
        yield SmallDisk(mount, directory)
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
