"""Reading Fabric's common connection profile: JSON, YAML, and what is neither."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.connection_profiles import EXAMPLE_PEM, example_document

from consentry.attach import read_connection_profiles
from consentry.errors import ConfigurationError


def _write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document) if path.suffix == ".json" else yaml.safe_dump(document))
    return path


@pytest.mark.parametrize("name", ["connection-org1.json", "connection-org1.yaml"])
def test_json_and_yaml_say_the_same(tmp_path: Path, name: str) -> None:
    profile = read_connection_profiles([_write(tmp_path / name, example_document())])
    assert list(profile.organizations) == ["Org1MSP"]
    organization = profile.organizations["Org1MSP"]
    assert organization.name == "org1"
    peer = organization.peers[0]
    assert (peer.endpoint, peer.server_name) == ("localhost:7051", "peer0.org1.example.com")
    assert peer.tls_roots.decode() == EXAMPLE_PEM
    assert organization.authority is not None
    assert (organization.authority.endpoint, organization.authority.authority_name) == (
        "localhost:7054",
        "ca-org1",
    )
    assert [node.server_name for node in profile.orderers] == ["localhost"]
    assert profile.channels == ("mychannel",)
    assert profile.client == "Org1MSP"


def test_certificates_in_files_lie_beside_the_profile(tmp_path: Path) -> None:
    document = example_document()
    document["peers"]["peer0.org1.example.com"]["tlsCACerts"] = {"path": "tls/ca.pem"}
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca.pem").write_text(f"a comment\n{EXAMPLE_PEM}")
    profile = read_connection_profiles([_write(tmp_path / "p.yaml", document)])
    assert profile.organizations["Org1MSP"].peers[0].tls_roots.decode() == EXAMPLE_PEM


def test_profiles_of_several_organizations_are_one_network(tmp_path: Path) -> None:
    second = json.loads(json.dumps(example_document()).replace("org1", "org2").replace("Org1", "Org2"))
    third = example_document()
    third["peers"]["peer0.org1.example.com"]["url"] = "grpcs://localhost:8051"
    paths = [
        _write(tmp_path / f"{number}.json", document)
        for number, document in enumerate((example_document(), second, third))
    ]
    profile = read_connection_profiles(paths)
    assert list(profile.organizations) == ["Org1MSP", "Org2MSP"]
    assert [peer.port for peer in profile.organizations["Org1MSP"].peers] == [7051, 8051]
    assert len(profile.orderers) == 1


def _without(section: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.pop(section)


def _peer(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["peers"]["peer0.org1.example.com"].update(values)


def _organization(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["organizations"]["Org1"].update(values)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_without("organizations"), "no organization"),
        (_without("peers"), "peer0.org1.example.com"),
        (_organization(mspid=None), "organizations.Org1.mspid"),
        (_organization(mspid=7), "organizations.Org1.mspid"),
        (_organization(peers="peer0"), "organizations.Org1.peers"),
        (_organization(certificateAuthorities=["ca.elsewhere"]), "ca.elsewhere"),
        (_peer(url="localhost:7051"), "peers.peer0.org1.example.com.url"),
        (_peer(url="grpcs://localhost"), "url"),
        (_peer(url="grpcs://localhost:99999"), "url"),
        (_peer(url=7051), "url"),
        (_peer(tlsCACerts={}), "tlsCACerts"),
        (_peer(tlsCACerts={"pem": "nothing"}), "tlsCACerts"),
        (_peer(tlsCACerts={"path": "missing.pem"}), "missing.pem"),
        (_peer(tlsCACerts=["x"]), "tlsCACerts"),
        (lambda document: document.update(peers=[1]), "peers"),
    ],
)
def test_a_fault_is_named_by_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], place: str
) -> None:
    document = example_document()
    change(document)
    with pytest.raises(ConfigurationError, match=place) as caught:
        read_connection_profiles([_write(tmp_path / "p.json", document)])
    assert caught.value.code == "CONNECTION_PROFILE_INVALID"


@pytest.mark.parametrize("url", ["grpc://localhost:7051", "http://localhost:7051"])
def test_addresses_without_tls_are_refused(tmp_path: Path, url: str) -> None:
    document = example_document()
    document["peers"]["peer0.org1.example.com"]["url"] = url
    with pytest.raises(ConfigurationError) as caught:
        read_connection_profiles([_write(tmp_path / "p.json", document)])
    assert caught.value.code == "CONNECTION_WITHOUT_TLS"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2]",
        b"\xff\xfe",
        b"a: b: c",
        b"!!python/object/apply:os.getcwd []",
        b"[" * 5000,
        b"x" * (5 << 20),
    ],
    ids=["empty", "list", "no UTF-8", "no YAML", "Python object", "deep", "long"],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_connection_profiles([tmp_path / "p.yaml"])
    assert caught.value.code == "CONNECTION_PROFILE_INVALID"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        read_connection_profiles([tmp_path / "nowhere.yaml"])


_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(section=st.sampled_from(["organizations", "peers", "orderers", "channels", "client"]), value=_VALUES)
def test_any_value_anywhere_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, section: str, value: Any
) -> None:
    document = example_document() | {section: value}
    path = _write(tmp_path_factory.mktemp("any") / "p.json", document)
    code = ""
    try:
        assert "Org1MSP" in read_connection_profiles([path]).organizations
    except ConfigurationError as error:
        code = error.code
    assert code in ("", "CONNECTION_PROFILE_INVALID")
