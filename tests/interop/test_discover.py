"""Hyperledger's own `discover` command line against the embedded engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from support.embedded import enrolled_user, two_organizations

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import peer_port
from fabric_operator.ports import read_ports
from fabric_protocol.certificates import key_pem

pytestmark = pytest.mark.optional_tool("fabric-binaries")
CHAINCODE = ["endorsers", "--channel", "testing", "--chaincode", "basic"]
Discover = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("discover")) as network:
        yield network


@pytest.fixture
def discover(engine: EmbeddedNetwork, tmp_path: Path, optional_tool: Callable[[str], str]) -> Discover:
    """The program, run for a new client of alpha at alpha's peer."""
    program = Path(optional_tool("fabric-binaries")).with_name("discover")
    if not program.is_file():
        pytest.skip(f"no discover beside {program.with_name('peer')}")
    paths = NetworkPaths(engine.directory)
    user = enrolled_user(engine, "alpha", f"user-of-{tmp_path.name}")
    key: Any = user.key
    (tmp_path / "user.pem").write_bytes(user.certificate)
    (tmp_path / "user.key").write_bytes(key_pem(key))
    options = {
        "--peerTLSCA": paths.organization("alpha").tls_ca.certificate,
        "--userKey": tmp_path / "user.key",
        "--userCert": tmp_path / "user.pem",
        "--MSP": "AlphaMSP",
    }
    server = f"127.0.0.1:{read_ports(paths.ports)[peer_port('alpha')]}"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        named = [str(part) for option in options.items() for part in option]
        command = [str(program), *named, *arguments, "--server", server]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_peers_configuration_and_endorsers(discover: Discover) -> None:
    peers = json.loads(discover("peers", "--channel", "testing").stdout)
    assert [(peer["MSPID"], peer["Chaincodes"]) for peer in sorted(peers, key=itemgetter("MSPID"))] == [
        ("AlphaMSP", ["_lifecycle", "basic"]),
        ("BetaMSP", ["_lifecycle", "basic"]),
    ]
    config = json.loads(discover("config", "--channel", "testing").stdout)
    assert sorted(config["msps"]) == sorted(config["orderers"]) == ["AlphaMSP", "BetaMSP"]
    (plan,) = json.loads(discover(*CHAINCODE).stdout)
    owners = {group: listed[0]["MSPID"] for group, listed in plan["EndorsersByGroups"].items()}
    (layout,) = plan["Layouts"]
    assert {owners[group] for group in layout["quantities_by_group"]} == {"AlphaMSP", "BetaMSP"}


def test_a_collections_own_policy_says_who_endorses(discover: Discover) -> None:
    (plan,) = json.loads(discover(*CHAINCODE, "--collection", "basic:custodian-AlphaMSP").stdout)
    (listed,) = plan["EndorsersByGroups"].values()
    assert [peer["MSPID"] for peer in listed] == ["AlphaMSP"]


def test_refusals_are_fabrics(discover: Discover) -> None:
    assert discover("peers").stderr.rstrip().endswith("access denied")
    assert discover("config", "--channel", "other").stderr.rstrip().endswith("access denied")
    unknown = discover(*CHAINCODE, "--collection", "basic:nobodys")
    assert unknown.returncode != 0
    assert "failed constructing descriptor for chaincodes:" in unknown.stderr
