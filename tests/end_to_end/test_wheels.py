"""Built wheels, installed by plain pip into a clean environment, work there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
CHECK = """
import consentry, fabric_gateway, importlib.metadata, pathlib
for package in (consentry, fabric_gateway):
    assert "site-packages" in package.__file__
    assert (pathlib.Path(package.__file__).parent / "py.typed").exists()
from consentry import connect, Wallet
from fabric_gateway import Gateway, decode_block
print(importlib.metadata.version("consentry"))
"""


@pytest.mark.timeout(600)
def test_the_client_is_installed_from_wheels_by_plain_pip(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    run(str(UV), "build", "--quiet", "--all-packages", "--wheel", "--out-dir", str(wheels), cwd=ROOT)
    names = sorted(path.name.split("-")[0] for path in wheels.glob("*.whl"))
    assert {"consentry", "consentry_records", "fabric_gateway_python", "fabric_protocol"} <= set(names)
    run(sys.executable, "-m", "venv", str(tmp_path / "clean"), cwd=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    run(
        # Compiling all that nobody imports takes longer than the rest.
        *(str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--retries", "10"),
        *("--disable-pip-version-check", "--only-binary", ":all:"),
        *("--find-links", str(wheels), "consentry"),
        cwd=tmp_path,
    )
    assert run(str(python), "-c", CHECK, cwd=tmp_path).strip()
    shown = run(str(tmp_path / "clean" / "bin" / "consentry"), "--help", cwd=tmp_path)
    assert "consents" in shown
    run(str(python), "-m", "pip", "check", cwd=tmp_path)


def run(*command: str, cwd: Path) -> str:
    """Run a command outside of this workspace's environment and return what it printed."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
