"""Real Fabric as a user without privileges: nothing of it needs root."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.optional_tools import find_optional_tool
from support.ordinary_user import NOBODY, as_user, home_directory

pytestmark = [
    pytest.mark.timeout(500),
    pytest.mark.optional_tool("fabric-binaries"),
    pytest.mark.optional_tool("ordinary-user"),
]
Consentry = Callable[..., str]


@pytest.fixture
def home() -> Iterator[Path]:
    with home_directory() as directory:
        yield directory


@pytest.fixture
def consentry(home: Path) -> Iterator[Consentry]:
    """The command as that user; its network is down afterwards."""
    interpreter = find_optional_tool("ordinary-user")

    def run(*arguments: str) -> str:
        line = [interpreter, "-m", "consentry", "--network", str(home / "network"), *arguments]
        done = subprocess.run(line, cwd=home, capture_output=True, text=True, timeout=300, **as_user(home))
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    yield run
    run("network", "down")


def test_an_ordinary_user_runs_a_network(home: Path, consentry: Consentry) -> None:
    consentry("network", "doctor")
    consentry("network", "up", "--engine", "fabric", "--preset", "small")
    nodes = json.loads(consentry("network", "status", "--json"))
    assert {node["state"] for node in nodes} == {"running"}
    assert {Path(f"/proc/{node['pid']}").stat().st_uid for node in nodes} == {NOBODY}
    consentry("network", "enroll", "northgate", "steward", "--role", "steward")
    assert "NorthgateMSP" in consentry("--as", "northgate/steward", "settings", "show")
    files = [path for path in (home / "network").rglob("*") if path.is_file()]
    assert {path.stat().st_uid for path in files} == {NOBODY}
    keys = [path for path in files if path.name == "key.pem"]
    assert len(keys) > 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
