"""Units and compose files of a bundle say what was meant, whatever characters a path has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.compose import compose_faults
from support.units import read_unit

from fabric_native.bundle_units import compose_file, systemd_unit, unit_name
from fabric_native.nodes import Kind, Node

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


@given(command=st.lists(TEXT, min_size=1), value=TEXT)
def test_a_unit_runs_the_command_with_the_environment(
    tmp_path_factory: pytest.TempPathFactory, command: list[str], value: str
) -> None:
    path = tmp_path_factory.mktemp("units") / unit_name("peer-alpha")
    path.write_text(systemd_unit("peer-alpha", Path("/srv/100%"), command, {"PLACE": value}))
    assert read_unit(path) == (command, {"PLACE": value})
    assert "ReadWritePaths=/srv/100%%\n" in path.read_text()


@given(text=TEXT)
def test_a_compose_file_is_one_whatever_its_paths_are(text: str) -> None:
    nodes = {Node(kind, "alpha"): ((f"/opt/{text}/{kind}", text), {"PLACE": text}) for kind in Kind}
    written = compose_file("alpha", Path("/srv") / text, nodes)
    assert compose_faults(written) == []
    assert compose_faults(written.replace("network_mode", "networkmode")) != []


def test_only_nodes_with_an_official_image_are_containers() -> None:
    nodes = {Node(kind, "alpha"): ((f"/opt/bin/{kind}", "start"), {"A": "$1"}) for kind in Kind}
    services = yaml.safe_load(compose_file("alpha", Path("/srv/alpha"), nodes))["services"]
    assert services.keys() == {"ca-alpha", "orderer-alpha", "peer-alpha"}
    peer = services["peer-alpha"]
    assert peer["command"] == ["peer", "start"]
    assert peer["environment"]["A"] == "$$1"
    assert "/opt/hyperledger/ccaas_builder" in peer["environment"]["CORE_CHAINCODE_EXTERNALBUILDERS"]
    assert {service["user"] for service in services.values()} == {"${BUNDLE_USER:?}"}
