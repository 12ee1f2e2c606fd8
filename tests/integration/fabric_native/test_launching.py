"""A real peer launches chaincode, which dials it: registration over mutual TLS, transactions, a new start."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support.embedded import enrolled_user
from support.launched_chaincode import let_peers_launch
from support.native import connect, native_topology, put
from support.optional_tools import find_optional_tool

from fabric_native import NativeNetwork

pytestmark = [pytest.mark.timeout(600), pytest.mark.optional_tool("fabric-binaries")]
_SECONDS = 60


def launched() -> list[int]:
    """Processes of chaincode that dials a peer."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"basic_chaincode.py\x00--peer.address" in line:
            found.append(int(entry.name))
    return found


def wait_until_ended(pid: int) -> None:
    end = time.monotonic() + _SECONDS
    while pid in launched():
        assert time.monotonic() < end, "the chaincode outlives its peer"
        time.sleep(0.1)


def test_chaincode_that_a_peer_launches_serves_it(tmp_path: Path) -> None:
    find_optional_tool("fabric-binaries")
    network = NativeNetwork.create(tmp_path / "network", native_topology())
    let_peers_launch(network, "alpha")
    before = set(launched())
    try:
        network.up()
        user = enrolled_user(network, "alpha", "5f0c")
        assert put(network, user, "k") == b"v"
        with connect(network, user) as gateway:
            assert gateway.network("testing").contract("basic").evaluate("basic:get", "k") == b"v"
        (pid,) = set(launched()) - before

        # The peer starts it anew when it is gone.
        os.kill(pid, signal.SIGKILL)
        wait_until_ended(pid)
        assert put(network, user, "k", "w") == b"w"
        (again,) = set(launched()) - before
        assert again != pid
    finally:
        network.down()
    wait_until_ended(again)
