"""The client's example programs, each in a process of its own, on both engines."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.embedded import enrolled_user

from fabric_embedded.network import EmbeddedNetwork
from fabric_native import NativeNetwork
from fabric_protocol.certificates import key_pem

pytestmark = pytest.mark.integration
EXAMPLES = Path(__file__).parents[3] / "client" / "gateway" / "examples"


def run(name: str, arguments: list[str], **variables: str) -> list[str]:
    """Run an example to its end; the lines that it printed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_they_submit_and_follow(network: EmbeddedNetwork | NativeNetwork, tmp_path: Path) -> None:
    user = enrolled_user(network, "alpha", f"example-{secrets.token_hex(4)}")
    profile: Any = json.loads((network.directory / "network.json").read_text())
    peer = profile["organizations"]["AlphaMSP"]["peers"][0]
    (tmp_path / "user.pem").write_bytes(user.certificate)
    (tmp_path / "user.key").touch(0o600)
    (tmp_path / "user.key").write_bytes(key_pem(user.key))  # type: ignore[arg-type]
    arguments = [
        peer["endpoint"],
        str(network.directory / peer["tls_roots"]),
        "AlphaMSP",
        str(tmp_path / "user.pem"),
        str(tmp_path / "user.key"),
        "testing",
        "basic",
    ]
    printed = run("submit_many.py", arguments, SERVER_NAME=peer["server_name"])
    assert printed == ["200 committed, 0 failed", "red"]
    follow = [*arguments, str(tmp_path / "position.json")]
    seen = [
        line
        for _ in range(2)
        for line in run("follow_events.py", follow, SERVER_NAME=peer["server_name"], STOP_AFTER="50")
    ]
    # The second run goes on where the first one was.
    assert len({line.split()[1] for line in seen}) == 100
    blocks = [int(line.split()[0]) for line in seen]
    assert blocks == sorted(blocks)
