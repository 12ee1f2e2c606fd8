"""Files and directories for their owner alone: keys, salts, secrets (0600 and 0700)."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from consentry.errors import ConfigurationError

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private_directory(directory: Path) -> None:
    """Create a directory (and its parents) for its owner alone.

    Raises:
        ConfigurationError: PATH_EXPOSED, it exists and others may enter it.
    """
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    refuse_exposed(directory)


def refuse_exposed(path: Path) -> None:
    """Refuse a file or directory that anyone but its owner may use.

    Raises:
        ConfigurationError: PATH_EXPOSED.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        wanted = DIRECTORY_MODE if path.is_dir() else FILE_MODE
        raise ConfigurationError(
            "PATH_EXPOSED",
            f"{path} has mode {mode:04o}, expected {wanted:04o} (owner alone); run: chmod {wanted:o} {path}",
        )


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a whole file with mode 0600, or nothing: a reader never sees half of it.

    Raises:
        FileExistsError: the file exists and `replace` is not set.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
