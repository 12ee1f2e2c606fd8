"""Operations on a running network: what they ask of it, and who is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from consentry.errors import ConsentryError
from consentry.network import (
    add_organization,
    add_peer,
    engines,
    export_organization,
    join_network,
    membership,
    remove_organization,
    rotate_certificates,
    upgrade_chaincode,
)
from consentry.network.presets import consortium, small
from fabric_native import NativeNetwork
from fabric_protocol.topology import Topology


def silent(_message: str) -> None:
    """Nobody listens."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Any]]:
    """What a network of real Fabric with the `consortium` topology was asked for."""
    calls: list[tuple[str, Any]] = []
    network = NativeNetwork.__new__(NativeNetwork)
    network.directory, network.topology = tmp_path, consortium()
    whole = SimpleNamespace(organization=None, retiring=False)
    every = network.topology.organizations
    network._nodes = SimpleNamespace(settings=whole, operated=every)  # type: ignore[assignment]
    for name in ("add_organization", "remove_organization", "upgrade_chaincode", "add_peer"):
        setattr(network, name, lambda topology, _progress, name=name: calls.append((name, topology)))
    network.stop_process = lambda name: calls.append(("stop_process", name))  # type: ignore[method-assign]
    network.anchor = lambda: "ab" * 32  # type: ignore[method-assign]
    monkeypatch.setattr(membership, "native_network", lambda _directory: network)
    for name in ("vote_in", "vote_out"):
        monkeypatch.setattr(
            membership, name, lambda _network, one, _progress, name=name: calls.append((name, one.name))
        )
    monkeypatch.setattr(membership, "prepare_ledger", lambda *_: calls.append(("prepare_ledger", None)))
    return calls


def test_a_hospital_that_joins_gets_a_collection_and_a_say(
    asked: list[tuple[str, Any]], tmp_path: Path
) -> None:
    add_organization(tmp_path, "hillside", silent, peers=2, country="IE")
    (name, topology), *after = asked
    assert name == "add_organization"
    # It uses the contracts only once the ledger's settings name it.
    assert after == [("vote_in", "hillside"), ("prepare_ledger", None)]
    assert topology.organizations[-1].msp_id == "HillsideMSP"
    assert topology.organizations[-1].country == "IE"
    assert topology.chaincode.sequence == consortium().chaincode.sequence + 1
    assert topology.chaincode.policy.startswith("OutOf(3, 'HillsideMSP.peer'")
    assert {item.name: item.maximum_peer_count for item in topology.chaincode.collections} == {
        "custodian-NorthgateMSP": 0,
        "custodian-RiversideMSP": 0,
        "custodian-LakesideMSP": 0,
        "custodian-HillsideMSP": 1,
    }
    assert (tmp_path / "anchors" / "hillside.txt").read_text() == "ab" * 32 + "\n"


def test_a_hospital_without_a_country_is_told_what_that_means(
    asked: list[tuple[str, Any]], tmp_path: Path
) -> None:
    told: list[str] = []
    add_organization(tmp_path, "hillside", told.append)
    assert any("grants that are bound to countries permit it nothing" in line for line in told)
    assert asked[0][1].organizations[-1].country is None


def test_a_hospital_that_leaves_has_no_say_and_no_members(
    asked: list[tuple[str, Any]], tmp_path: Path
) -> None:
    remove_organization(tmp_path, "lakeside", silent)
    voted, (_, topology), stopped = asked
    assert voted == ("vote_out", "lakeside")
    assert stopped == ("stop_process", "decide-lakeside")
    assert "Lakeside" not in topology.chaincode.policy
    collections = {item.name: item for item in topology.chaincode.collections}
    # Fabric keeps collections; of this one nobody of lakeside is a member any more.
    left = collections["custodian-LakesideMSP"]
    assert "Lakeside" not in left.members + str(left.endorsement)
    assert collections["custodian-NorthgateMSP"].members == "OR('NorthgateMSP.member')"


@pytest.fixture
def bundle(asked: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch) -> tuple[NativeNetwork, list[Any]]:
    """The same network as northgate's bundle, and what was asked of it."""
    network = membership.native_network(Path())
    settings = SimpleNamespace(organization="northgate", retiring=False, operated=lambda _: operated)
    operated = (network.topology.organization("northgate"),)
    network._nodes = SimpleNamespace(settings=settings, operated=operated)  # type: ignore[assignment]
    monkeypatch.setattr(network, "settle", lambda _progress: asked.append(("settle", None)))
    monkeypatch.setattr(
        network, "write_units", lambda services: asked.append(("write_units", sorted(services)))
    )
    return network, asked


def test_an_upgrade_in_a_bundle_is_given_again_until_it_is_in_force(
    bundle: tuple[NativeNetwork, list[Any]], tmp_path: Path
) -> None:
    network, asked = bundle
    network._nodes.settings.retiring = True  # type: ignore[misc]
    with pytest.raises(ConsentryError) as refusal:
        upgrade_chaincode(tmp_path, "2.0", silent)
    assert refusal.value.code == "UPGRADE_PENDING"
    assert asked == []
    assert upgrade_chaincode(tmp_path, network.topology.chaincode.version, silent) is False
    assert asked == [("settle", None), ("write_units", ["decide-northgate"])]


def test_an_upgrade_in_a_bundle_is_its_organizations_own(
    bundle: tuple[NativeNetwork, list[Any]], tmp_path: Path
) -> None:
    _, asked = bundle
    assert upgrade_chaincode(tmp_path, "2.0", silent) is True
    assert [name for name, _ in asked] == ["upgrade_chaincode", "write_units"]
    assert asked[0][1].chaincode.version == "2.0"


def test_another_peer_of_a_bundle_is_made_known_to_the_others(
    bundle: tuple[NativeNetwork, list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, asked = bundle
    monkeypatch.setattr(network, "describe", lambda: SimpleNamespace(to_json=lambda: b"what it is now"))
    member = add_peer(tmp_path, "northgate", silent)
    assert [name for name, _ in asked] == ["add_peer", "write_units"]
    assert member == tmp_path / "member.json"
    assert member.read_bytes() == b"what it is now"
    with pytest.raises(ConsentryError, match="runs elsewhere") as elsewhere:
        add_peer(tmp_path, "lakeside", silent)
    network._nodes.settings.retiring = True  # type: ignore[misc]
    with pytest.raises(ConsentryError) as pending:
        add_peer(tmp_path, "northgate", silent)
    assert (elsewhere.value.code, pending.value.code) == ("ORGANIZATION_UNKNOWN", "UPGRADE_PENDING")
    assert len(asked) == 2


def test_private_data_reaches_every_peer_of_its_hospital(
    asked: list[tuple[str, Any]], tmp_path: Path
) -> None:
    add_peer(tmp_path, "northgate", silent)
    ((name, topology),) = asked
    assert name == "add_peer"
    assert topology.organization("northgate").peers == 2
    assert topology.chaincode.sequence == 2
    counts = {item.name: item.maximum_peer_count for item in topology.chaincode.collections}
    assert counts["custodian-NorthgateMSP"] == 1
    assert counts["custodian-LakesideMSP"] == 0


def test_an_upgrade_is_the_next_sequence(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    upgrade_chaincode(tmp_path, "1.1", silent)
    ((_, topology),) = asked
    assert (topology.chaincode.version, topology.chaincode.sequence) == ("1.1", 2)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (lambda path: add_organization(path, "northgate", silent), "ORGANIZATION_EXISTS"),
        (lambda path: add_organization(path, "bank", silent, kind="bank"), "KIND_UNKNOWN"),
        (lambda path: remove_organization(path, "hillside", silent), "ORGANIZATION_UNKNOWN"),
        (lambda path: upgrade_chaincode(path, "no version", silent), "TOPOLOGY_INVALID"),
        (lambda path: add_organization(path, "../etc", silent), "TOPOLOGY_INVALID"),
        (lambda path: add_organization(path, "hillside", silent, country="Ireland"), "TOPOLOGY_INVALID"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_asked(
    asked: list[tuple[str, Any]], tmp_path: Path, operation: Callable[[Path], None], code: str
) -> None:
    with pytest.raises(ConsentryError) as refusal:
        operation(tmp_path)
    assert refusal.value.code == code
    assert asked == []


@pytest.mark.parametrize(
    "operation",
    [
        lambda path: add_organization(path, "hillside", silent),
        lambda path: remove_organization(path, "lakeside", silent),
        lambda path: upgrade_chaincode(path, "1.1", silent),
        lambda path: add_peer(path, "northgate", silent),
        lambda path: rotate_certificates(path, "peer-northgate", silent),
        lambda path: export_organization(path, "northgate", path / "bundle"),
        lambda path: join_network(path, silent),
    ],
)
def test_the_embedded_engine_says_that_it_cannot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, operation: Callable[[Path], None]
) -> None:
    embedded: Topology = small()
    monkeypatch.setattr(engines, "load_network", lambda _directory: SimpleNamespace(topology=embedded))
    with pytest.raises(ConsentryError, match="use a network of real Fabric") as refusal:
        operation(tmp_path)
    assert refusal.value.code == "OPERATION_NEEDS_FABRIC"
