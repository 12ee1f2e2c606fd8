"""Proposals by the command line, on the embedded engine: made, shown, signed, submitted, refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.embedded import two_organizations
from support.installed_command import run_consentry

from fabric_embedded import EmbeddedNetwork
from fabric_operator.reconfiguration import read_configuration, read_ordering_nodes
from fabric_protocol.channel_config import ChannelConfig


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("proposals") / "network") as network:
        yield network


def proposal(network: EmbeddedNetwork, *arguments: str, status: int = 0) -> str:
    return run_consentry(
        "--network", str(network.directory), "network", "proposal", *arguments, status=status
    )


def configuration(network: EmbeddedNetwork) -> ChannelConfig:
    administrator = network.proposals("alpha").administrator
    nodes = read_ordering_nodes(network.directory)
    return ChannelConfig.from_block(read_configuration(nodes, network.topology.channel, administrator))


def test_a_change_is_made_shown_signed_and_submitted(network: EmbeddedNetwork, tmp_path: Path) -> None:
    file = str(tmp_path / "blocks.proposal")
    made = proposal(network, "blocks", "--transactions", "77", "--to", file, "--organization", "alpha")
    assert "BatchSize: max message count: 77, no longer" in made
    assert "Signed by: nobody." in made
    proposal(network, "submit", file, "--organization", "alpha", status=1)
    assert configuration(network).max_message_count != 77
    proposal(network, "sign", file, "--organization", "alpha")
    shown = json.loads(proposal(network, "show", file, "--organization", "beta", "--json"))
    assert shown["signed"] == ["AlphaMSP"]
    assert shown["demands"][0]["without"] == ["beta"]
    assert shown["enough"] is False
    assert "Enough have signed" in proposal(network, "sign", file, "--organization", "beta")
    assert "in force from block" in proposal(network, "submit", file, "--organization", "beta")
    assert configuration(network).max_message_count == 77
    proposal(network, "show", file, "--organization", "alpha", status=1)


def test_an_organizations_anchors_are_its_own_affair(network: EmbeddedNetwork, tmp_path: Path) -> None:
    file = str(tmp_path / "anchors.proposal")
    proposal(network, "anchors", "far.example:7051", "--to", file, "--organization", "alpha")
    proposal(network, "sign", file, "--organization", "beta", status=1)
    proposal(network, "sign", file, "--organization", "alpha")
    proposal(network, "submit", file, "--organization", "beta")
    assert configuration(network).anchor_peers["AlphaMSP"] == ("far.example:7051",)


def test_what_cannot_be_proposed_leaves_no_file(network: EmbeddedNetwork, tmp_path: Path) -> None:
    file = tmp_path / "none.proposal"
    proposal(network, "anchors", "nowhere", "--to", str(file), "--organization", "alpha", status=1)
    proposal(network, "blocks", "--to", str(file), "--organization", "alpha", status=1)
    proposal(network, "blocks", "--transactions", "3", "--to", str(file), status=1)
    proposal(network, "remove", "gamma", "--to", str(file), "--organization", "alpha", status=1)
    proposal(network, "add", str(tmp_path / "absent"), "--to", str(file), "--organization", "alpha", status=1)
    assert not file.exists()
    file.write_bytes(b"no proposal")
    for command in ("show", "sign", "submit"):
        proposal(network, command, str(file), "--organization", "alpha", status=1)
    assert file.read_bytes() == b"no proposal"
