"""Key material, packages, profile and genesis of a network; nothing runs."""

from __future__ import annotations

import io
import json
import ssl
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support.embedded import two_organization_topology

from fabric_embedded.assembly import read_material
from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import port_names
from fabric_operator.errors import MaterialError, NetworkError
from fabric_operator.ports import choose_ports, read_ports
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.chaincode_package import ChaincodeConnection, build_package
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.errors import EncodingError, ProtocolError
from fabric_protocol.identities import parse_identity, serialize_identity
from fabric_protocol.topology import Topology

pytestmark = pytest.mark.unit

CONNECTION = ChaincodeConnection("127.0.0.1:9999", "KEY", "CERTIFICATE", "ROOT")


@pytest.fixture(autouse=True, scope="module")
def _every_port_is_free() -> Iterator[None]:
    """Unit tests open no socket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fabric_operator.ports.is_free", lambda _host, _port: True)
        yield


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedNetwork:
    return EmbeddedNetwork.create(
        tmp_path_factory.mktemp("material") / "network", two_organization_topology()
    )


def test_everything_is_for_its_owner_only(network: EmbeddedNetwork) -> None:
    root = NetworkPaths(network.directory).organizations
    for path in [root, *root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_certificates_and_keys_belong_together(network: EmbeddedNetwork) -> None:
    keys = list(NetworkPaths(network.directory).organizations.rglob("*key.pem"))
    assert len(keys) == 2 * 10
    for path in keys:
        key = load_pem_private_key(path.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(
            path.with_name(path.name.replace("key", "certificate")).read_bytes()
        )
        assert key.public_key() == certificate.public_key(), path


def test_a_key_that_is_not_its_certificates_is_refused(tmp_path: Path) -> None:
    paths = NetworkPaths(EmbeddedNetwork.create(tmp_path / "network", two_organization_topology()).directory)
    alpha, beta = (paths.organization(item.name) for item in two_organization_topology().organizations)
    alpha.peer.key.write_bytes(beta.peer.key.read_bytes())
    with pytest.raises(MaterialError, match="restore the pair from a backup") as refusal:
        read_material(paths)
    assert refusal.value.code == "KEY_MISMATCH"


@pytest.mark.parametrize("role", ["peer", "orderer", "admin"])
def test_nodes_are_valid_members_in_their_role(network: EmbeddedNetwork, role: str) -> None:
    paths = NetworkPaths(network.directory)
    config = ChannelConfig.from_block(parse_block(paths.genesis.read_bytes()))
    for organization in network.topology.organizations:
        files = paths.organization(organization.name)
        pair = {"peer": files.peer, "orderer": files.orderer, "admin": files.administrator}[role]
        serialized = serialize_identity(organization.msp_id, pair.certificate.read_bytes())
        config.msps.validate(config.msps.deserialize(serialized))
        assert parse_identity(serialized).organizational_units == (role,)


def test_the_genesis_block_is_the_topologys_channel(network: EmbeddedNetwork) -> None:
    block = parse_block(NetworkPaths(network.directory).genesis.read_bytes())
    config = ChannelConfig.from_block(block)
    ports = read_ports(NetworkPaths(network.directory).ports)
    assert config.channel_id == "testing"
    assert {item.msp_id for item in config.organizations} == {"AlphaMSP", "BetaMSP"}
    assert config.orderer_endpoints["BetaMSP"] == (f"127.0.0.1:{ports['orderer']}",)
    assert network.anchor() == header_hash(block.header).hex()


def test_tls_certificates_are_for_this_machine(network: EmbeddedNetwork) -> None:
    files = NetworkPaths(network.directory).organization("alpha")
    for pair in (files.peer_tls, files.orderer_tls, files.ca_tls, files.chaincode.tls):
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost"]
        assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert context.load_cert_chain(pair.certificate, pair.key) is None  # type: ignore[func-returns-value]


def test_the_package_is_what_the_chaincode_registers_as(network: EmbeddedNetwork) -> None:
    import hashlib

    files = NetworkPaths(network.directory).organization("beta")
    data = files.chaincode.package.read_bytes()
    assert files.chaincode.package_id.read_text() == f"basic_1.0:{hashlib.sha256(data).hexdigest()}\n"
    connection = read_connection(data)
    port = read_ports(NetworkPaths(network.directory).ports)["chaincode/beta"]
    assert connection["address"] == f"127.0.0.1:{port}"
    assert connection["client_key"] == files.peer_client_tls.key.read_text()


def read_connection(package: bytes) -> dict[str, object]:
    with tarfile.open(fileobj=io.BytesIO(package)) as outer:
        code = outer.extractfile("code.tar.gz")
        assert code is not None
        with tarfile.open(fileobj=io.BytesIO(code.read())) as inner:
            file = inner.extractfile("connection.json")
            assert file is not None
            connection: dict[str, object] = json.loads(file.read())
            return connection


def test_packages_have_the_same_bytes_every_time() -> None:
    package = build_package("basic_1.0", CONNECTION)
    assert package == build_package("basic_1.0", CONNECTION)
    assert package.package_id == "basic_1.0:" + PACKAGE_DIGEST
    assert read_connection(package.data)["dial_timeout"] == "3s"


# Pinned: a package id that changes between versions of Python would break networks that exist.
PACKAGE_DIGEST = "1c3a3f87062039971b71d478de6ef4b7c3f1a3592e31e84464c215e2b9970841"


@pytest.mark.parametrize("label", ["", "-dash", "with space", "a/b", "ä"])
def test_bad_labels_are_refused(label: str) -> None:
    with pytest.raises(EncodingError) as refusal:
        build_package(label, CONNECTION)
    assert refusal.value.code == "PACKAGE_LABEL_INVALID"


def test_the_profile_names_files_that_exist(network: EmbeddedNetwork) -> None:
    profile = json.loads((network.directory / "network.json").read_text())
    assert (profile["version"], profile["engine"]) == (1, "embedded")
    alpha = profile["organizations"]["AlphaMSP"]
    for entry in (*alpha["peers"], alpha["ca"], *profile["orderers"]):
        assert (network.directory / entry["tls_roots"]).is_file()
    assert alpha["ca"]["name"] == "alpha-ca"


def test_a_network_loads_again_and_is_not_overwritten(network: EmbeddedNetwork) -> None:
    loaded = EmbeddedNetwork.load(network.directory)
    assert loaded.topology == network.topology
    assert loaded.registrar("alpha") == network.registrar("AlphaMSP") != network.registrar("beta")
    with pytest.raises(NetworkError) as refusal:
        EmbeddedNetwork.create(network.directory, network.topology)
    assert refusal.value.code == "NETWORK_EXISTS"
    assert {node.state for node in loaded.status()} == {"stopped"}


def test_where_there_is_no_network_none_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as refusal:
        EmbeddedNetwork.load(tmp_path)
    assert refusal.value.code == "NETWORK_NOT_FOUND"
    (tmp_path / "network.json").write_text('{"engine": "fabric"}')
    with pytest.raises(NetworkError):
        EmbeddedNetwork.load(tmp_path)


def test_a_directory_with_something_else_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "organizations").mkdir()
    with pytest.raises(NetworkError) as refusal:
        EmbeddedNetwork.create(tmp_path, two_organization_topology())
    assert refusal.value.code == "DIRECTORY_IN_USE"
    assert list(tmp_path.iterdir()) == [tmp_path / "organizations"]


def test_what_an_interrupted_create_left_is_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("fabric_embedded.network_creation.build_genesis_block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        EmbeddedNetwork.create(tmp_path, two_organization_topology())
    with pytest.raises(NetworkError):
        EmbeddedNetwork.load(tmp_path)
    monkeypatch.undo()
    network = EmbeddedNetwork.create(tmp_path, two_organization_topology())
    assert not (tmp_path / ".unfinished").exists()
    assert EmbeddedNetwork.load(tmp_path).anchor() == network.anchor()


def test_destroy_removes_the_networks_files_and_no_others(tmp_path: Path) -> None:
    network = EmbeddedNetwork.create(tmp_path / "net", two_organization_topology())
    (network.directory / "wallets").mkdir()
    network.destroy()
    assert [path.name for path in network.directory.iterdir()] == ["wallets"]
    again = EmbeddedNetwork.create(tmp_path / "net", two_organization_topology())
    (network.directory / "wallets").rmdir()
    again.destroy()
    assert not network.directory.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"orderer": "7"}', '{"orderer": 0}', '{"orderer": true}'])
def test_damaged_ports_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    with pytest.raises(NetworkError) as refusal:
        read_ports(tmp_path / "ports.json")
    assert refusal.value.code == "PORTS_UNREADABLE"


def test_ports_are_distinct() -> None:
    names = port_names(["a", "b", "c"])
    ports = choose_ports(names, "127.0.0.1")
    assert set(ports) == set(names)
    assert len(set(ports.values())) == len(names) == 2 + 3 * 3


def test_an_altered_topology_is_refused(tmp_path: Path) -> None:
    network = EmbeddedNetwork.create(tmp_path / "net", two_organization_topology())
    path = NetworkPaths(network.directory).topology
    path.write_text(path.read_text().replace('"channel"', '"chanel"'))
    with pytest.raises(ProtocolError):
        EmbeddedNetwork.load(network.directory)
    assert isinstance(network.topology, Topology)
