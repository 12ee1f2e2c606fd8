"""The official Node.js software that tests run, installed once from its lock file and kept below `.tools`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
NODE_SOURCES = _ROOT / "tests" / "interop" / "node"
_KEPT = _ROOT / ".tools"
_FILES = ("package.json", "package-lock.json")
_INSTALL_SECONDS = 100


def node_packages() -> Path:
    """Directory that holds `node_modules`; installs on first use, needs no network afterwards.

    Raises:
        LookupError: npm could not install; with its reason.
    """
    digest = hashlib.sha256(b"".join((NODE_SOURCES / name).read_bytes() for name in _FILES)).hexdigest()
    kept = _KEPT / f"node-packages-{digest[:16]}"
    if not kept.exists():
        _install(kept)
    return kept


def _install(kept: Path) -> None:
    kept.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="node-packages-", dir=kept.parent) as name:
        made = Path(name) / "made"
        made.mkdir()
        for file in _FILES:
            shutil.copy(NODE_SOURCES / file, made)
        # No package's scripts are run: none of these needs one, and a test must not trust any.
        command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
        try:
            subprocess.run(
                command, cwd=made, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise LookupError(f"npm ci took longer than {_INSTALL_SECONDS} s") from error
        except subprocess.CalledProcessError as error:
            raise LookupError(f"npm ci failed: {_first_error(error.stderr)}") from error
        try:
            made.rename(kept)
        except OSError:
            if not kept.exists():  # else another run was faster
                raise


def _first_error(output: str) -> str:
    lines = [line.removeprefix("npm error ") for line in output.splitlines() if line.startswith("npm error ")]
    reasons = [line for line in lines if not line.startswith(("code ", "syscall ", "errno "))]
    return (reasons or lines or ["no reason given"])[0]
