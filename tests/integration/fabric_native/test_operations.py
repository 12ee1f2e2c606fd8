"""Operations on a running channel of real nodes, ordered by SmartBFT: each one command, each seen to work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from support.embedded import CaClient, User, enrolled_user
from support.native import connect, native_network, native_topology, put, states
from support.optional_tools import find_optional_tool

from fabric_gateway import GatewayError
from fabric_native import AdministrationError, NativeNetwork
from fabric_operator.errors import NetworkError, ProcessError
from fabric_protocol.blocks import is_config_block, parse_block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_editing import with_revocation_list
from fabric_protocol.ordering_config import BFT
from fabric_protocol.topology import CollectionDefinition, Organization, Topology

pytestmark = [pytest.mark.timeout(600), pytest.mark.optional_tool("fabric-binaries")]
GAMMA = Organization("gamma", "GammaMSP", "hospital")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    find_optional_tool("fabric-binaries")
    with native_network(tmp_path_factory.mktemp("operations"), native_topology(BFT)) as network:
        yield network


@pytest.fixture
def network(running: NativeNetwork) -> NativeNetwork:
    running.up()
    return running


def user_of(network: NativeNetwork, organization: str) -> User:
    return enrolled_user(network, organization, os.urandom(8).hex())


def config(network: NativeNetwork) -> ChannelConfig:
    blocks = [parse_block(data) for data in network.read_blocks()]
    return ChannelConfig.from_block([block for block in blocks if is_config_block(block)][-1])


def changed(topology: Topology, *organizations: Organization) -> Topology:
    """These organizations, all of which have to endorse; collections go to members only."""
    principals = ", ".join(f"'{item.msp_id}.peer'" for item in organizations)
    collections = {item.name: heir_of(item, organizations[0]) for item in topology.chaincode.collections}
    for item in organizations:
        name = f"custodian-{item.msp_id}"
        own = CollectionDefinition(
            name, f"OR('{item.msp_id}.member')", endorsement=f"OR('{item.msp_id}.peer')"
        )
        collections[name] = own
    definition = replace(
        topology.chaincode,
        policy=f"OutOf({len(organizations)}, {principals})",
        collections=tuple(collections.values()),
        sequence=topology.chaincode.sequence + 1,
    )
    return replace(topology, organizations=organizations, chaincode=definition)


def heir_of(collection: CollectionDefinition, heir: Organization) -> CollectionDefinition:
    return replace(collection, members=f"OR('{heir.msp_id}.member')", endorsement=f"OR('{heir.msp_id}.peer')")


def with_gamma(network: NativeNetwork) -> None:
    if GAMMA not in network.topology.organizations:
        network.add_organization(changed(network.topology, *network.topology.organizations, GAMMA))


def test_an_organization_joins_orders_and_endorses(network: NativeNetwork) -> None:
    told: list[str] = []
    if GAMMA not in network.topology.organizations:
        network.add_organization(
            changed(network.topology, *network.topology.organizations, GAMMA), told.append
        )
        assert any("a majority of administrators took gamma into the channel" in line for line in told)
    assert len(config(network).consenters) == 3
    assert {states(network)[f"{kind}-gamma"] for kind in ("ca", "orderer", "peer", "chaincode")} == {
        "running"
    }
    # All three have to endorse, so that gamma's peer did; and gamma's own client reads it there.
    assert put(network, user_of(network, "alpha"), "joined") == b"v"
    with connect(network, user_of(network, "gamma")) as gateway:
        contract = gateway.network("testing").contract("basic")
        assert contract.submit("basic:put", "from gamma", "w") == b"w"
        assert contract.evaluate("basic:get", "joined") == b"v"
    again = NativeNetwork.load(network.directory)
    assert again.topology == network.topology


def test_an_organization_leaves_and_the_others_go_on(network: NativeNetwork) -> None:
    with_gamma(network)
    gone = user_of(network, "gamma")
    network.remove_organization(
        changed(network.topology, *(item for item in network.topology.organizations if item != GAMMA))
    )
    assert not [name for name in states(network) if "gamma" in name]
    assert [item.msp_id for item in config(network).organizations] == ["AlphaMSP", "BetaMSP"]
    assert len(config(network).consenters) == 2
    assert put(network, user_of(network, "alpha"), "after gamma") == b"v"
    with connect(network, user_of(network, "alpha")) as gateway:
        channel = gateway.network("testing")
        assert channel.contract("basic").evaluate("basic:get", "after gamma") == b"v"
    stranger = replace_identity(user_of(network, "alpha"), gone)
    with connect(network, stranger) as gateway, pytest.raises(GatewayError, match=r"access denied|creator"):
        gateway.network("testing").contract("basic").submit("basic:put", "k", "v")


def replace_identity(place: User, who: User) -> User:
    """`who` at the peer of `place`'s organization."""

    class Guest(User):
        @property
        def identity(self) -> bytes:
            return who.identity

    return Guest(place.msp_id, who.certificate, who.sign_digest, who.sign, who.key)


def test_an_upgrade_starts_new_services_beside_the_old_ones(network: NativeNetwork) -> None:
    user = user_of(network, "alpha")
    put(network, user, "before the upgrade")
    generation = max(name for name in states(network) if name.startswith("chaincode-alpha"))
    wanted = replace(
        network.topology,
        chaincode=replace(
            network.topology.chaincode, version="1.1", sequence=network.topology.chaincode.sequence + 1
        ),
    )
    broken = replace(
        wanted, chaincode=replace(wanted.chaincode, command=("python", "-c", "raise SystemExit(3)"))
    )
    with pytest.raises(ProcessError, match="ended before it was ready"):
        network.upgrade_chaincode(broken)
    assert states(network)[generation] == "running"
    assert put(network, user, "the old one goes on") == b"v"

    network.upgrade_chaincode(wanted)
    assert generation not in states(network)
    with connect(network, user) as gateway:
        contract = gateway.network("testing").contract("basic")
        assert contract.evaluate("basic:get", "before the upgrade") == b"v"
        assert contract.submit("basic:put", "after the upgrade", "v") == b"v"


@pytest.mark.parametrize("node", ["peer-beta", "orderer-beta"])
def test_certificates_are_rotated(network: NativeNetwork, node: str) -> None:
    directory = network.directory / "organizations" / "beta" / node
    pairs = [directory / "msp/signcerts/certificate.pem", directory / "tls/certificate.pem"]
    before = [x509.load_pem_x509_certificate(path.read_bytes()).serial_number for path in pairs]
    network.rotate_certificates(node)
    after = [x509.load_pem_x509_certificate(path.read_bytes()).serial_number for path in pairs]
    assert not set(before) & set(after)
    if node == "orderer-beta":
        known = {consenter.server_tls_certificate for consenter in config(network).consenters}
        assert pairs[1].read_bytes() in known
    assert put(network, user_of(network, "beta"), f"by the new {node}") == b"v"
    network.down()
    network.up()
    assert put(network, user_of(network, "beta"), f"still by the new {node}") == b"v"


def test_only_peers_and_ordering_nodes_are_rotated(network: NativeNetwork) -> None:
    with pytest.raises(NetworkError, match="get new certificates so"):
        network.rotate_certificates("ca-alpha")


def test_a_revoked_user_is_refused_once_the_channel_knows(network: NativeNetwork) -> None:
    user = user_of(network, "alpha")
    assert put(network, user, "not revoked yet") == b"v"
    network.change_configuration(
        ["alpha"], lambda group: with_revocation_list(group, "AlphaMSP", revocation_list(network, user))
    )
    with pytest.raises(GatewayError):
        put(network, user, "revoked")
    assert put(network, user_of(network, "alpha"), "another one") == b"v"


def revocation_list(network: NativeNetwork, user: User) -> bytes:
    """Alpha's CA revokes a certificate and says so."""
    import base64
    import json

    from support.ca_requests import token

    certificate = x509.load_pem_x509_certificate(user.certificate)
    authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    with CaClient(network, "alpha") as client:
        registrar = client.enroll(*client.registrar)
        body = json.dumps(
            {
                "serial": f"{certificate.serial_number:x}",
                "aki": (authority.key_identifier or b"").hex(),
                "gencrl": True,
            }
        ).encode()
        headers = token("POST", "/api/v1/revoke", body, registrar.certificate, registrar.sign)  # type: ignore[arg-type]
        answer = client.http.post("/api/v1/revoke", content=body, headers=headers)
        answer.raise_for_status()
        return base64.b64decode(answer.json()["result"]["CRL"])


def test_a_new_peer_joins_by_a_snapshot_of_another(network: NativeNetwork) -> None:
    user = user_of(network, "alpha")
    put(network, user, "before the snapshot")
    alpha, *others = network.topology.organizations
    peers = alpha.peers
    grown = replace(alpha, peers=peers + 1)
    network.add_peer(replace(network.topology, organizations=(grown, *others)))
    assert states(network)[f"peer-alpha-{peers + 1}"] == "running"
    put(network, user, "after the snapshot")
    with connect(network, user, peer=peers) as gateway:
        contract = gateway.network("testing").contract("basic")
        assert contract.evaluate("basic:get", "before the snapshot") == b"v"
        assert contract.submit("basic:put", "by the new peer", "v") == b"v"


def test_what_is_no_step_of_the_operation_is_refused(network: NativeNetwork) -> None:
    with pytest.raises(AdministrationError) as refusal:
        network.add_organization(network.topology)
    assert refusal.value.code == "OPERATION_INVALID"
    with pytest.raises(AdministrationError) as refusal:
        network.add_peer(network.topology)
    assert refusal.value.code == "OPERATION_INVALID"
