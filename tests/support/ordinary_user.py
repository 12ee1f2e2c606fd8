"""A user without privileges, for tests that run as root: who it is, and a Python that it may run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

NOBODY = 65534


def find_interpreter() -> str:
    """A Python of this version that the user can run.

    Raises:
        LookupError: not root; or there is none.
    """
    if os.geteuid() != 0:
        raise LookupError("the tests run as an ordinary user already")
    wanted = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = (sys.executable, *(str(Path(place) / wanted) for place in ("/usr/local/bin", "/usr/bin")))
    for interpreter in found:
        try:
            subprocess.run([interpreter, "-c", ""], check=True, capture_output=True, **as_user())
        except (OSError, subprocess.CalledProcessError):
            continue
        return interpreter
    raise LookupError(f"uid {NOBODY} can run none of {', '.join(found)}")


def as_user(home: Path | None = None) -> dict[str, Any]:
    """Options for `subprocess.run` that make the process the user's, with this home directory."""
    packages = [path for path in sys.path if path and "lib-dynload" not in path and not path.endswith(".zip")]
    standard = str(Path(os.__file__).parent)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in packages if path != standard),
        "HOME": str(home or "/"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "env": environment}


@contextmanager
def home_directory() -> Iterator[Path]:
    """A directory that is the user's own; it is removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="consentry-user-"))
    try:
        os.chown(directory, NOBODY, NOBODY)
        yield directory
    finally:
        rmtree(directory)
