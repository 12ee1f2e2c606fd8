"""Other Python versions that tests run with, each in an environment with this workspace's packages.

`CONSENTRY_PYTHONS` names interpreters, separated as the PATH is; `python3.12` and its like are looked for on
the PATH. The environments are made from the lock file by the uv of `make setup`, and kept below `.tools`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
_ROOT = Path(__file__).parents[2]
_TOOLS = _ROOT / ".tools"
_PACKAGES = ("fabric-testing", "consentry-contracts")
_INSTALL_SECONDS = 100


def other_versions() -> list[str]:
    """Versions other than this process's."""
    return [version for version in VERSIONS if version != _own()]


def find_python(version: str) -> str:
    """Path of an interpreter of a version, e.g. "3.12".

    Raises:
        LookupError: there is none; with what was looked for.
    """
    named = os.environ.get("CONSENTRY_PYTHONS", "").split(os.pathsep)
    for candidate in [*named, shutil.which(f"python{version}")]:
        if candidate and _version(candidate) == version:
            return candidate
    raise LookupError(f"no python{version} on the PATH that starts, and none in CONSENTRY_PYTHONS")


def python_environment(version: str) -> str:
    """An interpreter of a version that can import contracts and `fabric_testing`; makes it on first use.

    Raises:
        LookupError: there is no such version, or its packages could not be installed.
    """
    interpreter, uv = find_python(version), _TOOLS / "bin" / "uv"
    if not uv.exists():
        raise LookupError("make setup has not installed uv")
    locked = hashlib.sha256((_ROOT / "uv.lock").read_bytes()).hexdigest()[:16]
    place = _TOOLS / f"python-{version}-{locked}"
    # Two test processes may want it at once.
    with (_TOOLS / f"python-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(str(uv), interpreter, place)
    return str(place / "bin" / "python")


def environments() -> list[str]:
    """An interpreter of each other version that can be used here, the newest last."""
    found = []
    for version in other_versions():
        try:
            found.append(python_environment(version))
        except LookupError:
            continue
    return found


def _install(uv: str, interpreter: str, place: Path) -> None:
    command = [uv, "sync", "--quiet", "--locked", "--no-dev", "--python", interpreter]
    for package in _PACKAGES:
        command += ["--package", package]
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(place), "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    told = subprocess.run(
        command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=_INSTALL_SECONDS
    )
    if told.returncode:
        raise LookupError(f"uv sync failed: {(told.stderr.strip().splitlines() or ['no reason given'])[0]}")


def _version(interpreter: str) -> str:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        told = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    return told.stdout.strip()


def _own() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
