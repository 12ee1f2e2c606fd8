"""Which of one person's training sessions run on this machine, so that one whose process died can be ended.

A running session has a file that its process holds a lock on. The lock goes with the process, however that
ends; the file stays, and whoever can take its lock knows that nobody trains there any more.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from consentry.private_files import FILE_MODE, make_private_directory


class RunningSessions:
    """The sessions that one person's programs run, in a directory (0700) of empty files named by ids."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[str, int] = {}

    def mark(self, session_id: str) -> None:
        """Say that this process runs a session, from before its start on.

        Raises:
            ConfigurationError: PATH_EXPOSED, others may enter the directory.
        """
        make_private_directory(self._directory)
        # Named once it is locked: nobody ever finds it free while its process lives.
        unnamed = self._directory / f".{session_id}"
        descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        unnamed.rename(self._directory / session_id)
        self._held[session_id] = descriptor

    def unmark(self, session_id: str) -> None:
        """Say that a session's end is recorded, or stated."""
        (self._directory / session_id).unlink(missing_ok=True)
        if session_id in self._held:
            os.close(self._held.pop(session_id))

    def lost(self) -> tuple[str, ...]:
        """Return the sessions that no process runs any more, sorted."""
        if not self._directory.is_dir():
            return ()
        names = sorted(path.name for path in self._directory.glob("[!.]*"))
        return tuple(name for name in names if name not in self._held and self._is_free(name))

    def close(self) -> None:
        """Let go of what this process still held: nobody can end those sessions from here any more."""
        while self._held:
            os.close(self._held.popitem()[1])

    def _is_free(self, session_id: str) -> bool:
        with suppress(FileNotFoundError):
            descriptor = os.open(self._directory / session_id, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            finally:
                os.close(descriptor)
            return True
        return False
