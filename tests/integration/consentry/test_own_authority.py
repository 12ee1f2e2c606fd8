"""Real peers and ordering nodes without Fabric CA on the machine: our CA service issues, and says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support.installed_command import CONSENTRY, run_consentry
from support.optional_tools import find_optional_tool

pytestmark = [pytest.mark.timeout(300), pytest.mark.optional_tool("fabric-binaries")]


def test_our_ca_service_issues_a_networks_identities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, only = Path(find_optional_tool("fabric-binaries")).parent, tmp_path / "bin"
    only.mkdir()
    for name in ("peer", "orderer"):
        (only / name).symlink_to(found / name)
    places = [place for place in os.environ["PATH"].split(os.pathsep) if Path(place) != found]
    monkeypatch.setenv("PATH", os.pathsep.join(places))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    network = ("--network", str(tmp_path / "network"))
    line = [CONSENTRY, *network, "network", "up", "--engine", "fabric", "--preset", "small"]
    done = subprocess.run([*line, "--binaries", str(only)], check=False, capture_output=True, text=True)
    try:
        assert done.returncode == 0, done.stderr
        assert "fabric-ca-server was not found, so our CA service issues" in done.stderr
        run_consentry(*network, "network", "enroll", "northgate", "steward", "--role", "steward")
        assert "NorthgateMSP" in run_consentry(*network, "--as", "northgate/steward", "settings", "show")
        # The ledger refuses whoever that CA revokes, as it does with Fabric CA.
        run_consentry(*network, "network", "revoke", "northgate", "steward", "--publish")
        run_consentry(*network, "--as", "northgate/steward", "settings", "show", status=1)
    finally:
        run_consentry(*network, "network", "destroy", "--yes")
