"""Hyperledger's own `peer` command line against the embedded engine, as an administrator uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.embedded import two_organizations
from support.official_peer import OfficialPeer
from support.second_chaincode import start_greeting

from fabric_embedded.network import EmbeddedNetwork
from fabric_protocol.blocks import parse_block

pytestmark = pytest.mark.optional_tool("fabric-binaries")
CHANNEL = ["--channelID", "testing"]
ORGANIZATIONS = ("alpha", "beta")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("peer-commands")) as network:
        yield network


@pytest.fixture
def peers(
    engine: EmbeddedNetwork, tmp_path: Path, optional_tool: Callable[[str], str]
) -> dict[str, OfficialPeer]:
    """The command line of each organization's administrator."""
    program = optional_tool("fabric-binaries")
    found = {}
    for name in ORGANIZATIONS:
        directory = tmp_path / name
        directory.mkdir()
        found[name] = OfficialPeer(program, engine, name, directory)
    return found


def test_channel_commands(peers: dict[str, OfficialPeer], tmp_path: Path) -> None:
    alpha = peers["alpha"]
    assert alpha.run("channel", "list").splitlines()[1:] == ["testing"]
    printed = alpha.run("channel", "getinfo", "-c", "testing")
    height = json.loads(printed.removeprefix("Blockchain info: "))["height"]
    for what, number in (("config", 0), ("newest", height - 1), ("oldest", 0), ("2", 2)):
        path = tmp_path / f"{what}.block"
        alpha.run("channel", "fetch", what, str(path), "-c", "testing", *alpha.orderer())
        assert parse_block(path.read_bytes()).header.number == number
    refused = alpha.attempt("channel", "join", "-b", str(tmp_path / "config.block"))
    assert refused.returncode == 1
    assert "the embedded engine has one channel, testing" in refused.stderr
    assert "No joinbysnapshot operation is in progress" in alpha.run("channel", "joinbysnapshotstatus")


def test_a_chaincode_from_its_package_to_its_use(
    engine: EmbeddedNetwork, peers: dict[str, OfficialPeer], tmp_path: Path
) -> None:
    alpha = peers["alpha"]
    definition = [*CHANNEL, "--name", "greeting", "--version", "1", "--sequence", "1"]
    definition += ["--signature-policy", "OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')"]
    chaincode = ("lifecycle", "chaincode")
    for name, peer in peers.items():
        package = start_greeting(engine, name, "Hello")
        path = tmp_path / f"{name}.tar.gz"
        path.write_bytes(package.data)
        assert peer.run(*chaincode, "calculatepackageid", str(path)).strip() == package.package_id
        peer.run(*chaincode, "install", str(path))
        assert (
            "chaincode already successfully installed"
            in peer.attempt(*chaincode, "install", str(path)).stderr
        )
        listed = peer.result(*chaincode, "queryinstalled")["installed_chaincodes"]
        assert package.package_id in [entry["package_id"] for entry in listed]
        peer.run(
            *chaincode,
            "getinstalledpackage",
            "--package-id",
            package.package_id,
            "--output-directory",
            str(tmp_path),
        )
        assert (tmp_path / f"{package.package_id}.tar.gz").read_bytes() == package.data
        peer.run(
            *chaincode, "approveformyorg", *definition, "--package-id", package.package_id, *alpha.orderer()
        )
        approved = peer.result(*chaincode, "queryapproved", *CHANNEL, "--name", "greeting")
        assert approved["source"]["Type"]["LocalPackage"]["package_id"] == package.package_id
        ready = alpha.result(*chaincode, "checkcommitreadiness", *definition)["approvals"]
        assert ready == {"AlphaMSP": True, "BetaMSP": name == "beta"}
    alpha.run(*chaincode, "commit", *definition, *alpha.orderer(), *alpha.peers(*ORGANIZATIONS))
    committed = alpha.result(*chaincode, "querycommitted", *CHANNEL)["chaincode_definitions"]
    assert [entry["name"] for entry in committed] == ["basic", "greeting"]
    call = ["--name", "greeting", "--ctor"]
    alpha.run(
        *("chaincode", "invoke"),
        *CHANNEL,
        *call,
        json.dumps({"Args": ["greeting:greet", "Ada"]}),
        "--waitForEvent",
        *alpha.orderer(),
        *alpha.peers(*ORGANIZATIONS),
    )
    query = json.dumps({"Args": ["greeting:last", "Ada"]})
    assert peers["beta"].run("chaincode", "query", *CHANNEL, *call, query).strip() == "Hello Ada"


def test_undefined_chaincode_is_not_found(peers: dict[str, OfficialPeer]) -> None:
    refused = peers["alpha"].attempt("lifecycle", "chaincode", "querycommitted", *CHANNEL, "--name", "none")
    assert "query failed with status: 404 - namespace none is not defined" in refused.stderr
