"""The lock file of the official Node.js software, and installed packages that no tool of ours looks at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support.node_packages import NODE_SOURCES

_ROOT = Path(__file__).parents[2]
_OFFICIAL = {
    "@hyperledger/fabric-gateway": "1.11.0",
    "fabric-contract-api": "2.5.8",
    "fabric-shim": "2.5.8",
}


def test_every_package_is_locked_by_hash_at_the_public_registry() -> None:
    packages = json.loads((NODE_SOURCES / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name}
    assert {
        name for name, entry in installed.items() if not entry["integrity"].startswith("sha512-")
    } == set()
    hosts = {entry["resolved"].split("/-/")[0].split("/")[2] for entry in installed.values()}
    assert hosts == {"registry.npmjs.org"}
    assert {name: installed[f"node_modules/{name}"]["version"] for name in _OFFICIAL} == _OFFICIAL


def test_installed_packages_are_nobody_s_business_here(tmp_path: Path) -> None:
    foreign = tmp_path / "node_modules" / "test_foreign.py"
    foreign.parent.mkdir()
    foreign.write_text("import os, sys\n" * 500)
    (tmp_path / "test_own.py").write_text("def test_own() -> None:\n    assert True\n")
    for command in (
        [str(_ROOT / "tools" / "size_limits.py"), str(tmp_path)],
        ["-m", "ruff", "check", "--isolated", str(tmp_path)],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
    ):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
