"""Two networks never get the same port, even while neither is up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric_operator.port_claims import claim_ports

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of this test's own, and every port free."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("fabric_operator.ports.is_free", lambda _host, _port: True)
    return tmp_path / "cache" / "consentry" / "ports.json"


def network(directory: Path) -> Path:
    directory.mkdir()
    (directory / "ports.json").touch()
    return directory


def test_what_another_network_has_is_not_given_again(
    tmp_path: Path, claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Always the same numbers, unless something keeps them away.
    numbers = iter([1, 2, 1, 2, 3, 4])
    monkeypatch.setattr("fabric_operator.ports.secrets.randbelow", lambda _limit: next(numbers))
    first = claim_ports(["a", "b"], HOST, network(tmp_path / "first"))
    second = claim_ports(["a", "b"], HOST, network(tmp_path / "second"))
    assert not set(first.values()) & set(second.values())
    assert set(json.loads(claims.read_text())) == {str(tmp_path / "first"), str(tmp_path / "second")}


def test_claims_of_networks_that_are_gone_are_dropped(tmp_path: Path, claims: Path) -> None:
    claim_ports(["a"], HOST, tmp_path / "never made")
    claim_ports(["a"], HOST, network(tmp_path / "second"))
    assert set(json.loads(claims.read_text())) == {str(tmp_path / "second")}


@pytest.mark.parametrize("damage", ["", "no JSON", "[]", '{"a": 1}'])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, claims: Path, damage: str) -> None:
    claims.parent.mkdir(parents=True)
    claims.write_text(damage)
    assert claim_ports(["a"], HOST, network(tmp_path / "first"))
    assert len(json.loads(claims.read_text())) == 1


def test_without_a_place_for_claims_ports_are_chosen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(claim_ports(["a", "b"], HOST, tmp_path)) == 2
