"""The life of a network of real Fabric: up, transactions, down and up, nodes one by one, nothing left."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest
from support.embedded import enrolled_user
from support.native import connect, native_network, native_topology, put, states

from fabric_native import NativeNetwork
from fabric_operator.errors import NetworkError, ProcessError
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.ordering_config import BFT

pytestmark = [pytest.mark.timeout(600), pytest.mark.optional_tool("fabric-binaries")]

NODES = [
    f"{kind}-{organization}"
    for kind in ("ca", "orderer", "peer", "chaincode")
    for organization in ("alpha", "beta")
]


def pids(network: NativeNetwork) -> dict[str, int]:
    return {node.name: node.pid for node in network.status() if node.pid is not None}


def processes_that_name(directory: Path) -> list[str]:
    lines = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(str(directory)) in line and int(entry.name) != os.getpid():
            lines.append(entry.name)
    return lines


def test_a_network_lives_stops_and_lives_on(network: NativeNetwork) -> None:
    assert states(network) == dict.fromkeys(NODES, "running")
    user = enrolled_user(network, "alpha", "5f0c", {"consentry.role": "steward"})
    assert put(network, user, "k") == b"v"
    before = pids(network)
    network.up()
    assert pids(network) == before

    network.down()
    assert states(network) == dict.fromkeys(NODES, "stopped")
    assert not processes_that_name(network.directory)

    told: list[str] = []
    network.up(told.append)
    assert not any("joined" in line or "in force" in line for line in told)
    with connect(network, user) as gateway:
        assert gateway.network("testing").contract("basic").evaluate("basic:get", "k") == b"v"
    assert put(network, user, "k", "w") == b"w"


def test_nodes_are_stopped_killed_and_started_one_by_one(network: NativeNetwork) -> None:
    user = enrolled_user(network, "alpha", "5f0d")
    network.kill_node("peer-beta")
    assert states(network) == {**dict.fromkeys(NODES, "running"), "peer-beta": "died"}
    network.start_node("peer-beta")
    network.stop_node("chaincode-beta")
    network.start_node("chaincode-beta")
    assert states(network) == dict.fromkeys(NODES, "running")
    network.up()
    assert put(network, user, "k") == b"v"
    assert network.log("peer-beta").is_file()
    with pytest.raises(NetworkError, match="no node 'peer-gamma'; there are ca-alpha") as unknown:
        network.stop_node("peer-gamma")
    assert unknown.value.code == "NODE_UNKNOWN"
    with pytest.raises(ProcessError, match="there are ca-alpha"):
        network.log("../../etc/passwd")


def test_the_genesis_block_is_ours_and_what_peers_store(network: NativeNetwork) -> None:
    blocks = [parse_block(data) for data in network.read_blocks()]
    assert header_hash(blocks[0].header).hex() == network.anchor()
    assert len(ChannelConfig.from_block(blocks[0]).consenters) == 2
    # Two approvals and a commit, at least.
    assert len(blocks) >= 3


def test_secrets_are_for_their_owner_and_certificates_tell_no_name(network: NativeNetwork) -> None:
    for path in network.directory.rglob("*"):
        if path.is_file() and (b"PRIVATE KEY" in path.read_bytes() or path.name == "registrar.json"):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    user = enrolled_user(network, "alpha", "5f0e", {"consentry.role": "steward"})
    assert b"alpha" not in user.certificate


def test_a_taken_port_is_named_and_nothing_starts(network: NativeNetwork) -> None:
    network.down()
    port = json.loads((network.directory / "ports.json").read_text())["peer-beta"]
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(NetworkError, match=f"{port} \\(peer-beta\\)"),
    ):
        network.up()
    assert states(network) == dict.fromkeys(NODES, "stopped")


def test_a_node_that_cannot_start_is_told_with_its_log_and_what_was_started_ends(
    network: NativeNetwork,
) -> None:
    network.down()
    certificate = network.directory / "organizations/beta/peer-beta/msp/signcerts/certificate.pem"
    intact = certificate.read_bytes()
    certificate.write_text("no certificate")
    try:
        with pytest.raises(ProcessError, match=r"peer-beta ended before[\s\S]*certificate") as failure:
            network.up()
    finally:
        certificate.write_bytes(intact)
    assert failure.value.code == "PROCESS_ENDED"
    assert states(network) == dict.fromkeys(NODES, "stopped")


def test_smartbft_and_several_peers_an_organization(tmp_path: Path) -> None:
    with native_network(tmp_path, native_topology(BFT, peers=2)) as network:
        assert states(network)["peer-alpha-2"] == "running"
        user = enrolled_user(network, "beta", "5f0f")
        assert put(network, user, "k") == b"v"
        network.stop_node("peer-alpha")
        assert put(network, user, "k", "by the second peer") == b"by the second peer"
        network.destroy()
        assert not network.directory.exists()


def test_an_existing_network_is_not_made_again(network: NativeNetwork) -> None:
    with pytest.raises(NetworkError) as refusal:
        NativeNetwork.create(network.directory, network.topology)
    assert refusal.value.code == "NETWORK_EXISTS"
    assert states(network) == dict.fromkeys(NODES, "running")
