"""Attaching to a network that runs: what is checked, what is refused, and that a ledger works afterwards."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.connection_profiles import msp_directory, profile_of
from support.embedded import two_organizations

from consentry.cli.main import run
from consentry.profile import NetworkProfile
from consentry.verification.peers import live_peers
from consentry.wallet import Wallet
from fabric_embedded.network import EmbeddedNetwork
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("attach")) as network:
        yield network


class _Attaching:
    """Runs the command on a profile and keeps what it answered."""

    def __init__(self, room: Path, network: EmbeddedNetwork, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = room / "attached"
        self.msp = msp_directory(network, "alpha", room / "msp")
        self._room = room
        self._capsys = capsys

    def __call__(self, document: dict[str, Any], *options: str, chaincode: str = "basic") -> tuple[int, Any]:
        path = self._room / "connection.yaml"
        path.write_text(yaml.safe_dump(document))
        arguments = [
            "network",
            "attach",
            str(path),
            "--msp",
            str(self.msp),
            "--chaincode",
            chaincode,
            "--json",
        ]
        status = run(["--network", str(self.directory), *arguments, *options])
        shown = self._capsys.readouterr()
        return status, json.loads(shown.out) if shown.out else shown.err

    def codes(self, document: dict[str, Any], *options: str, **named: str) -> set[str]:
        """The refusals' codes; nothing may be written."""
        status, answer = self(document, *options, **named)
        assert status == 1
        assert not self.directory.exists()
        return {item["code"] for item in answer["findings"] if item["state"] == "refused"}


@pytest.fixture
def attaching(tmp_path: Path, network: EmbeddedNetwork, capsys: pytest.CaptureFixture[str]) -> _Attaching:
    return _Attaching(tmp_path, network, capsys)


def test_everything_works_from_the_description_that_is_written(
    attaching: _Attaching, network: EmbeddedNetwork
) -> None:
    status, answer = attaching(profile_of(network))
    assert status == 0, answer
    assert {item["state"] for item in answer["findings"]} == {"ok"}
    profile = NetworkProfile.load(attaching.directory)
    assert (profile.engine, profile.channel, profile.chaincode) == ("fabric", "testing", "basic")
    assert sorted(profile.organizations) == ["AlphaMSP", "BetaMSP"]
    assert len(profile.orderers) > 0
    identity = Wallet(profile.wallet_directory("alpha")).get("user")
    with live_peers(profile, identity) as peers:
        chains = [list(peer.blocks()) for peer in peers]
    assert len(chains) == 2
    assert len(chains[0]) == len(chains[1]) > 0
    modes = {path.stat().st_mode & 0o777 for path in attaching.directory.glob("wallets/alpha/*.json")}
    assert modes == {0o600}


def test_blocks_come_from_the_organizations_next_peer_while_the_first_is_away(
    attaching: _Attaching, network: EmbeddedNetwork
) -> None:
    assert attaching(profile_of(network))[0] == 0
    profile = NetworkProfile.load(attaching.directory)
    alpha = profile.organizations["AlphaMSP"]
    (peer,) = alpha.peers
    away = replace(peer, endpoint="127.0.0.1:1")
    both = replace(profile, organizations={"AlphaMSP": replace(alpha, peers=(away, peer))})
    with live_peers(both, Wallet(profile.wallet_directory("alpha")).get("user")) as (source,):
        assert len(list(source.blocks())) == (source.stop or 0) + 1


def test_a_profile_of_one_organization_is_enough_and_says_what_is_missing(
    attaching: _Attaching, network: EmbeddedNetwork
) -> None:
    status, answer = attaching(profile_of(network, ["alpha"]))
    assert status == 0, answer
    assert [item["code"] for item in answer["findings"] if item["state"] == "warning"] == [
        "MEMBERS_WITHOUT_PEER"
    ]


def test_a_second_attachment_to_the_same_directory_is_refused(
    attaching: _Attaching, network: EmbeddedNetwork
) -> None:
    assert attaching(profile_of(network))[0] == 0
    before = (attaching.directory / "network.json").read_bytes()
    status, answer = attaching(profile_of(network))
    assert status == 1
    assert "NETWORK_EXISTS" in answer
    assert (attaching.directory / "network.json").read_bytes() == before


def test_a_peer_that_does_not_answer(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    document = profile_of(network)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        document["peers"]["peer0.beta"]["url"] = f"grpcs://127.0.0.1:{taken.getsockname()[1]}"
        assert attaching.codes(document) == {"ENDPOINT_UNREACHABLE"}


def test_a_peer_that_proves_nothing(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    document = profile_of(network)
    document["peers"]["peer0.beta"]["tlsCACerts"] = document["peers"]["peer0.alpha"]["tlsCACerts"]
    document["peers"]["peer0.alpha"]["grpcOptions"] = {"ssl-target-name-override": "somebody.else"}
    assert attaching.codes(document) == {"TLS_UNTRUSTED", "TLS_NAME_WRONG"}


def test_msp_ids_that_are_not_the_channels(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    document = profile_of(network)
    document["organizations"]["Beta"]["mspid"] = "GammaMSP"
    assert attaching.codes(document) == {"MSP_UNKNOWN", "COLLECTION_MISSING"}


def test_a_peer_under_the_wrong_organization(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    document = profile_of(network)
    document["organizations"]["Beta"]["peers"] = ["peer0.alpha"]
    assert attaching.codes(document) == {"PEER_OF_OTHER_MSP"}


def test_a_chaincode_that_is_not_there(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    assert attaching.codes(profile_of(network), chaincode="absent") == {"CHAINCODE_NOT_COMMITTED"}


def test_another_channel(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    status, answer = attaching(profile_of(network), "--channel", "elsewhere")
    assert status == 1
    assert "CHANNEL_UNREADABLE" in answer
    assert not attaching.directory.exists()


def test_an_identity_that_the_channel_does_not_know(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    root, key = new_authority("elsewhere", start=start), new_private_key()
    stranger = issue(
        root,
        common_name="stranger",
        public_key=key.public_key(),
        start=start,
        organizational_units=["client"],
    )
    (attaching.msp / "signcerts" / "cert.pem").write_bytes(certificate_pem(stranger))
    assert "WALLET_INVALID" in attaching(profile_of(network))[1]
    (attaching.msp / "keystore" / "priv_sk").write_bytes(key_pem(key))
    status, answer = attaching(profile_of(network))
    assert status == 1
    assert "CHANNEL_UNREADABLE" in answer
    assert not attaching.directory.exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--msp-id", "GammaMSP"), "ORGANIZATION_UNKNOWN"),
        (("--regulator", "GammaMSP"), "ORGANIZATION_UNKNOWN"),
        (("--regulator", "BetaMSP", "--label", "No Label"), "LABEL_INVALID"),
    ],
)
def test_names_that_the_profile_does_not_have(
    attaching: _Attaching, network: EmbeddedNetwork, options: tuple[str, ...], code: str
) -> None:
    status, answer = attaching(profile_of(network), *options)
    assert status == 1
    assert code in answer
    assert not attaching.directory.exists()


def test_a_profile_without_a_channel_asks_for_one(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    document = profile_of(network)
    del document["channels"]
    assert "CHANNEL_AMBIGUOUS" in attaching(document)[1]
    assert attaching(document, "--channel", "testing")[0] == 0


def test_an_msp_directory_without_a_key_is_refused(attaching: _Attaching, network: EmbeddedNetwork) -> None:
    (attaching.msp / "keystore" / "priv_sk").unlink()
    assert "MSP_DIRECTORY_INVALID" in attaching(profile_of(network))[1]
