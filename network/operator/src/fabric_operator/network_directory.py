"""A network's directory: made whole or not at all, locked while a command changes it, taken away again."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from fabric_operator.errors import NetworkError
from fabric_operator.private_files import sync, sync_tree

PROFILE = "network.json"
PORTS = "ports.json"
UNFINISHED = ".unfinished"
_LOCK_SECONDS = 0.3
_POLL_SECONDS = 0.03
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True)
class NetworkDirectory:
    """What of a directory belongs to a network.

    Parameters:
        directory: absolute path.
        parts: names of the network's files and directories in it; `network.json` among them, written last.
    """

    directory: Path
    parts: Sequence[str]

    def begin(self) -> None:
        """Make the directory for a new network; what an interrupted creation left is cleared away.

        Raises:
            NetworkError: NETWORK_EXISTS, DIRECTORY_IN_USE.
        """
        if self.is_unfinished:
            self._clear()
        self._require_room()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._unfinished.touch(mode=0o600)

    def finish(self) -> None:
        """Have the new network on the disk: a ledger that outlives its keys is worth nothing."""
        sync_tree(self.directory)
        self._unfinished.unlink()
        sync(self.directory)

    def remove(self) -> None:
        """Remove what belongs to the network; other files stay, and the directory too if there are any."""
        # With the mark in place an interrupted removal is finished by the next creation.
        self._unfinished.touch(mode=0o600)
        self._clear()
        self._unfinished.unlink()
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from starting or stopping the network meanwhile.

        Raises:
            NetworkError: NETWORK_BUSY; DIRECTORY_NOT_WRITABLE, also for a disk that fills up inside.
        """
        with self._lock_file() as lock:
            # A process that is being started holds its starter's files until its own program runs.
            deadline = time.monotonic() + _LOCK_SECONDS
            while not _take(lock):
                if time.monotonic() > deadline:
                    message = f"another command starts or stops {self.directory}: wait until it is done"
                    raise NetworkError("NETWORK_BUSY", message)
                time.sleep(_POLL_SECONDS)
            try:
                yield
            except OSError as error:
                if error.errno not in _UNWRITABLE:
                    raise
                raise self._unwritable(error) from error

    @property
    def is_unfinished(self) -> bool:
        """Whether a creation or a removal was interrupted here."""
        return self._unfinished.exists()

    @property
    def _unfinished(self) -> Path:
        return self.directory / UNFINISHED

    def _require_room(self) -> None:
        if (self.directory / PROFILE).exists():
            raise NetworkError(
                "NETWORK_EXISTS",
                f"{self.directory} holds a network: bring it up, or destroy it first",
            )
        present = [name for name in self.parts if (self.directory / name).exists()]
        if present:
            raise NetworkError(
                "DIRECTORY_IN_USE",
                f"{self.directory} holds {', '.join(present)} but no network to be read: "
                "name another directory",
            )

    def _clear(self) -> None:
        for path in (self.directory / name for name in self.parts):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _lock_file(self) -> TextIO:
        try:
            run = self.directory / "run"
            run.mkdir(mode=0o700, parents=True, exist_ok=True)
            return (run / "network.lock").open("w")
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> NetworkError:
        return NetworkError(
            "DIRECTORY_NOT_WRITABLE",
            f"cannot write to {self.directory} ({error.strerror or error}): make room on its disk, or make it"
            " writable",
        )


def _take(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
