"""One's own topology from a YAML file."""

from pathlib import Path

import pytest

from consentry.errors import ConfigurationError
from consentry.network.presets import consortium, small
from consentry.network.topology_file import read_topology
from fabric_protocol.ordering_config import RAFT

ORGANIZATIONS = """
organizations:
- {name: northgate, kind: hospital, peers: 2}
- {name: law, kind: regulator, msp_id: OfficeMSP}
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_organizations_are_enough(tmp_path: Path) -> None:
    topology = read_topology(written(tmp_path, ORGANIZATIONS))
    assert [item.msp_id for item in topology.organizations] == ["NorthgateMSP", "OfficeMSP"]
    assert topology.chaincode.policy == "OutOf(2, 'NorthgateMSP.peer', 'OfficeMSP.peer')"
    (collection,) = topology.chaincode.collections
    assert (collection.name, collection.maximum_peer_count) == ("custodian-NorthgateMSP", 1)


def test_a_country_is_optional_and_the_presets_name_one(tmp_path: Path) -> None:
    northgate, law = read_topology(
        written(tmp_path, ORGANIZATIONS.replace("peers: 2", "country: IE"))
    ).organizations
    assert (northgate.country, law.country) == ("IE", None)
    assert "country" not in law.to_dict()
    assert all(organization.country for organization in consortium().organizations)


@pytest.mark.parametrize("preset", [consortium, small])
def test_what_the_presets_write_reads_back(tmp_path: Path, preset: object) -> None:
    topology = preset()  # type: ignore[operator]
    assert read_topology(written(tmp_path, topology.to_json())) == topology


def test_what_is_written_counts(tmp_path: Path) -> None:
    text = ORGANIZATIONS + "channel: ours\nordering: {consensus: etcdraft, batch_timeout: 30ms}\n"
    topology = read_topology(written(tmp_path, text))
    assert topology.channel == "ours"
    assert (topology.ordering.consensus, topology.ordering.batch_timeout) == (RAFT, "30ms")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping with a list of organizations"),
        ("organizations: northgate", "expected a mapping with a list of organizations"),
        ("organizations: [northgate]", "organizations.0.: expected an object"),
        ("organizations: [{name: northgate}]", "'kind' is missing"),
        ("organizations: [{name: ../etc, kind: hospital}]", "lower-case letters"),
        ("organizations: [{name: a, kind: hospital, peers: 0}]", "peers: expected 1 to 9, got 0"),
        ("organizations: [{name: a, kind: hospital, country: Ireland}]", "two capital letters"),
        (ORGANIZATIONS + "state_database: CouchDB", "'CouchDB' is not supported"),
        (ORGANIZATIONS + "peers: 3", "unknown field 'peers'"),
        ("a: [", "cannot be read as YAML"),
        ("a: !!python/object:os.system x", "cannot be read as YAML"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as refusal:
        read_topology(written(tmp_path, text))
    assert refusal.value.code == "TOPOLOGY_INVALID"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.yaml cannot be read"):
        read_topology(tmp_path / "missing.yaml")
