"""Attaching to real Fabric by a connection profile, as to a network that somebody else runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.connection_profiles import profile_document
from support.native import native_network, native_topology

from consentry.cli.main import run
from consentry.profile import NetworkProfile
from consentry.verification.peers import live_peers
from consentry.wallet import Wallet
from fabric_native import NativeNetwork
from fabric_native.paths import NetworkPaths

pytestmark = pytest.mark.optional_tool("fabric-binaries")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    with native_network(tmp_path_factory.mktemp("attach"), native_topology()) as network:
        yield network


def _attach(network: NativeNetwork, room: Path, *options: str) -> tuple[int, Path]:
    profile = room / "connection.json"
    profile.write_text(json.dumps(profile_document(network.directory)))
    msp = NetworkPaths(network.directory).organization("alpha").admin.msp
    directory = room / "attached"
    arguments = ["network", "attach", str(profile), "--msp", str(msp), "--json", *options]
    return run(["--network", str(directory), *arguments]), directory


def test_real_peers_pass_every_check_and_are_read_from_what_is_written(
    network: NativeNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, directory = _attach(network, tmp_path, "--chaincode", "basic")
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert (status, {item["state"] for item in findings}) == (0, {"ok"}), findings
    profile = NetworkProfile.load(directory)
    with live_peers(profile, Wallet(profile.wallet_directory("alpha")).get("user")) as peers:
        chains = [list(peer.blocks()) for peer in peers]
    assert len(chains) == 2
    assert len(chains[0]) == len(chains[1]) > 1


def test_what_real_peers_do_not_have_is_refused(
    network: NativeNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, directory = _attach(network, tmp_path, "--chaincode", "absent")
    codes = {item["code"] for item in json.loads(capsys.readouterr().out)["findings"]}
    assert (status, codes) == (1, {"", "CHAINCODE_NOT_COMMITTED"})
    assert not directory.exists()
    assert _attach(network, tmp_path, "--channel", "elsewhere", "--chaincode", "basic")[0] == 1
    assert "CHANNEL_UNREADABLE" in capsys.readouterr().err
