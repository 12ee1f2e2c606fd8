"""Configuration of CAs, peers and ordering nodes: what DESIGN §4 asks for is in it."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.native import native_topology

from fabric_native.authority_config import authority_configs
from fabric_native.endpoints import Endpoints
from fabric_native.node_config import node_environment, orderer_config, peer_config, write_config
from fabric_native.nodes import Kind, Node, authority, chaincode, network_nodes, orderer, peers
from fabric_native.paths import NetworkPaths
from fabric_native.ports import node_ports, port_names
from fabric_protocol.ordering_config import BFT

TOPOLOGY = native_topology(BFT, peers=2)
ALPHA, BETA = TOPOLOGY.organizations
PATHS = NetworkPaths(Path("/networks/ours"))
PORTS = {name: 20_000 + number for number, name in enumerate(port_names(network_nodes(TOPOLOGY)))}
ENDPOINTS = Endpoints(TOPOLOGY, PORTS)


def texts(value: Any) -> list[str]:
    """Every text in a document."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_nodes_have_names_and_ports_of_their_own() -> None:
    names = [node.name for node in network_nodes(TOPOLOGY)]
    assert names == [
        "ca-alpha", "ca-beta",
        "orderer-alpha", "orderer-beta",
        "peer-alpha", "peer-alpha-2", "peer-beta",
        "chaincode-alpha", "chaincode-beta",
    ]  # fmt: skip
    assert len(PORTS) == len(set(port_names(network_nodes(TOPOLOGY)))) == 2 * 2 + 2 * 3 + 3 * 3 + 2
    assert node_ports(orderer(BETA)) == ("orderer-beta", "orderer-beta/operations", "orderer-beta/admin")


def test_a_peer_is_configured_as_the_design_asks() -> None:
    config = peer_config(PATHS, ENDPOINTS, peers(ALPHA)[0])
    peer = config["peer"]
    assert {"name": "TimeWindowCheck"} in peer["handlers"]["authFilters"]
    assert peer["authentication"]["timewindow"] == "60s"
    assert peer["gossip"]["reconnectInterval"] == "1s"
    assert peer["gossip"]["pvtData"]["skipPullingInvalidTransactionsDuringCommit"] is True
    assert config["ledger"]["pvtdataStore"]["purgeInterval"] == 1
    assert config["vm"]["endpoint"] == ""
    assert config["chaincode"]["externalBuilders"] == [{"name": "ccaas", "path": "/networks/ours/builder"}]
    assert peer["limits"]["concurrency"]["gatewayService"] > 500
    assert peer["tls"]["enabled"] is True
    assert config["operations"]["tls"]["enabled"] is True


def test_peers_of_one_organization_know_one_another() -> None:
    first, second = (peer_config(PATHS, ENDPOINTS, node)["peer"]["gossip"] for node in peers(ALPHA))
    assert first["bootstrap"] == [second["endpoint"]]
    assert second["bootstrap"] == [first["endpoint"]]
    alone = peer_config(PATHS, ENDPOINTS, peers(BETA)[0])["peer"]["gossip"]
    assert alone["bootstrap"] == [alone["endpoint"]]


def test_an_ordering_node_takes_orders_from_its_administrator_only() -> None:
    config = orderer_config(PATHS, ENDPOINTS, orderer(BETA))
    assert config["Admin"]["TLS"]["ClientAuthRequired"] is True
    assert config["General"]["LocalMSPID"] == "BetaMSP"
    assert not [text for text in texts(config) if "alpha" in text]


def test_nothing_listens_anywhere_but_on_the_topologys_host() -> None:
    for node in network_nodes(TOPOLOGY):
        if node.kind in (Kind.PEER, Kind.ORDERER):
            build = peer_config if node.kind == Kind.PEER else orderer_config
            assert "0.0.0.0" not in json.dumps(build(PATHS, ENDPOINTS, node))  # noqa: S104


def test_logs_are_warnings_only() -> None:
    environment = node_environment(PATHS, peers(BETA)[0])
    assert environment["FABRIC_LOGGING_SPEC"].startswith("warn")
    assert environment["FABRIC_CFG_PATH"] == "/networks/ours/organizations/beta/peer-beta"


def test_a_ca_server_has_an_authority_for_identities_and_one_for_tls() -> None:
    files = authority_configs(PATHS, authority(ALPHA), ENDPOINTS, "s3cret")
    server = json.loads(files["fabric-ca-server-config.yaml"])
    tls = json.loads(files["tls-ca/fabric-ca-server-config.yaml"])
    assert (server["ca"]["name"], tls["ca"]["name"]) == ("alpha-ca", "alpha-tls-ca")
    assert server["ca"]["keyfile"] != tls["ca"]["keyfile"]
    assert server["tls"]["enabled"] is True
    for document in (server, tls):
        (registrar,) = document["registry"]["identities"]
        assert (registrar["name"], registrar["pass"]) == ("registrar", "s3cret")


def test_a_configuration_file_is_written_over(tmp_path: Path) -> None:
    paths = NetworkPaths(tmp_path)
    node = Node(Kind.PEER, "beta")
    paths.node(node).directory.mkdir(parents=True)
    for name in ("alpha", "beta"):
        certificate = paths.organization(name).tls_ca.certificate
        certificate.parent.mkdir(parents=True)
        certificate.write_text(f"the root of {name}\n")
    for _ in range(2):
        write_config(paths, ENDPOINTS, node)
    written = paths.node(node).directory / "core.yaml"
    assert json.loads(written.read_text())["peer"]["id"] == "peer-beta"
    assert stat.S_ISREG(written.stat().st_mode)
    # It trusts all organizations' nodes before it has read the channel's configuration.
    roots = Path(json.loads(written.read_text())["peer"]["tls"]["rootcert"]["file"])
    assert roots.read_text() == "the root of alpha\nthe root of beta\n"


@pytest.mark.parametrize("kind", [Kind.PEER, Kind.ORDERER])
def test_each_node_keeps_its_ledger_in_a_directory_of_its_own(kind: Kind) -> None:
    nodes = [node for node in network_nodes(TOPOLOGY) if node.kind == kind]
    assert len({PATHS.node(node).data for node in nodes}) == len(nodes)


def test_on_its_own_machine_an_organization_is_reached_by_its_host_and_administered_from_itself() -> None:
    alpha = replace(ALPHA, host="fabric.alpha.example")
    topology = replace(TOPOLOGY, organizations=(alpha, BETA))
    here, there = (Endpoints(topology, PORTS, on_own_machine=own) for own in (False, True))
    peer, ca = peers(alpha)[0], authority(alpha)
    assert here.address(peer) == there.address(peer) == f"fabric.alpha.example:{PORTS['peer-alpha']}"
    assert (here.listener(peer)[0], there.listener(peer)[0]) == ("fabric.alpha.example", "0.0.0.0")  # noqa: S104
    # While the CA issues for all it serves the machine that makes the network; then its own organization.
    assert here.listener(ca)[0] == "127.0.0.1"
    assert (there.host(ca), there.listener(ca)[0]) == ("fabric.alpha.example", "0.0.0.0")  # noqa: S104
    for endpoints in (here, there):
        assert endpoints.internal(peer, "operations").startswith("127.0.0.1:")
        assert endpoints.address(chaincode(alpha)).startswith("127.0.0.1:")
        assert endpoints.listener(peers(BETA)[0])[0] == "127.0.0.1"
