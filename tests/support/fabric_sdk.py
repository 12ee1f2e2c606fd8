"""The environment of fabric-sdk-py, made once from its own lock below `.tools`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PROJECT = _ROOT / "tests" / "interop" / "fabric_sdk_py"
_INSTALL_SECONDS = 300


def fabric_sdk_python() -> str:
    """The environment's interpreter; installs on first use, needs no network afterwards.

    Raises:
        LookupError: it could not be installed; with the reason.
    """
    digest = hashlib.sha256((_PROJECT / "uv.lock").read_bytes()).hexdigest()
    environment = _ROOT / ".tools" / f"fabric-sdk-py-{digest[:16]}"
    python = environment / "bin" / "python"
    if not (environment / "complete").exists():
        _install(environment)
    return str(python)


def _install(environment: Path) -> None:
    uv = _ROOT / ".tools" / "bin" / "uv"
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found is None:
        raise LookupError("no uv in .tools/bin or on the PATH; `make setup` installs it")
    command = [found, "sync", "--quiet", "--locked", "--project", str(_PROJECT), "--python", "3.11"]
    variables = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment), "UV_PYTHON_DOWNLOADS": "never"}
    variables.pop("VIRTUAL_ENV", None)
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS, env=variables
        )
    except subprocess.TimeoutExpired as error:
        raise LookupError(f"uv sync took longer than {_INSTALL_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        raise LookupError(f"uv sync failed: {lines[0]}") from error
    (environment / "complete").touch()
