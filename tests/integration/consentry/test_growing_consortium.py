"""A running consortium of real Fabric grows and changes by the command line, an operation after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.consent_frames import END, consent_frame
from support.installed_command import run_consentry
from support.optional_tools import find_optional_tool

from consentry.ledger import connect
from consentry.wallet import Wallet
from fabric_native import NativeNetwork
from fabric_protocol.blocks import is_config_block, parse_block
from fabric_protocol.identities import split_identity
from fabric_protocol.transactions import Transaction

pytestmark = [pytest.mark.timeout(500), pytest.mark.optional_tool("fabric-binaries")]
IMPORT = b"consents:import_batch"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small network that is up: northgate and the regulator."""
    find_optional_tool("fabric-binaries")
    directory = tmp_path_factory.mktemp("growing") / "network"
    consentry(directory, "network", "up", "--engine", "fabric", "--preset", "small")
    yield directory
    consentry(directory, "network", "destroy", "--yes")


def consentry(directory: Path, *arguments: str, status: int = 0) -> str:
    return run_consentry("--network", str(directory), *arguments, status=status)


def record_consent(directory: Path, organization: str, pseudonym: str) -> None:
    """The steward of a hospital imports one consent."""
    frame = consent_frame([pseudonym]).assign(not_after=END)
    lists = ["purposes", "restrictions", "categories", "recipients"]
    frame[lists] = frame[lists].map(";".join)
    frame.to_csv(directory / "consents.csv", index=False)
    steward = ("--as", f"{organization}/steward")
    if "steward" not in {path.stem for path in (directory / "wallets" / organization).glob("*")}:
        consentry(directory, "network", "enroll", organization, "steward", "--role", "steward")
    consentry(directory, *steward, "consents", "import", str(directory / "consents.csv"))


def private_pseudonym(directory: Path, consent_id: str) -> str:
    """Whose consent it is, as northgate's steward reads in its own collection at whichever peer answers."""
    with connect(directory, Wallet(directory / "wallets" / "northgate").get("steward")) as ledger:
        return str(ledger.consents.private_entry(consent_id)["pseudonym"])


def endorsers_of_last_import(directory: Path) -> set[str]:
    """MSP ids of those who endorsed the last consents."""
    blocks = [parse_block(data) for data in NativeNetwork.load(directory).read_blocks()]
    envelopes = [data for block in blocks if not is_config_block(block) for data in block.data.data]
    imports = [one for one in map(Transaction.from_envelope, envelopes) if one.arguments[0] == IMPORT]
    return {split_identity(item.identity)[0] for item in imports[-1].signed_endorsements}


def test_a_hospital_that_joins_records_consents_and_endorses_them(directory: Path) -> None:
    told = consentry(directory, "network", "add", "hillside", "--country", "DE")
    assert "hillside belongs to the network" in told
    settings = json.loads(consentry(directory, "--as", "hillside/service", "settings", "show", "--json"))
    assert settings["organizations"][-1] == {"msp_id": "HillsideMSP", "kind": "hospital", "country": "DE"}
    record_consent(directory, "hillside", "patient-1")
    # Two of three have to endorse; of a hospital's own transactions its own peer is one.
    endorsers = endorsers_of_last_import(directory)
    assert "HillsideMSP" in endorsers
    assert len(endorsers) == 2
    assert "decide-hillside" in consentry(directory, "network", "status")


def test_operations_follow_one_another(directory: Path) -> None:
    consentry(directory, "network", "upgrade", "1.1")
    consentry(directory, "network", "add-peer", "northgate")
    collections = NativeNetwork.load(directory).topology.chaincode.collections
    counts = {item.name: item.maximum_peer_count for item in collections}
    assert counts == {"custodian-NorthgateMSP": 1, "custodian-HillsideMSP": 0}
    consentry(directory, "network", "rotate", "peer-northgate")
    consentry(directory, "network", "rotate", "orderer-northgate")
    record_consent(directory, "northgate", "patient-2")
    listed = consentry(directory, "--as", "northgate/steward", "consents", "list", "--json")
    (consent,) = json.loads(listed)["items"]
    # The first peer handed what is private to the second one, which has it while the first is away.
    consentry(directory, "network", "stop", "peer-northgate")
    assert private_pseudonym(directory, consent["consent_id"]) == "patient-2"
    consentry(directory, "network", "start", "peer-northgate")
    consentry(directory, "network", "enroll", "northgate", "auditor", "--role", "auditor")
    assert "HillsideMSP" in consentry(directory, "--as", "northgate/auditor", "settings", "show")
    consentry(directory, "network", "revoke", "northgate", "auditor", "--publish")
    consentry(directory, "--as", "northgate/auditor", "settings", "show", status=1)


def test_nodes_are_stopped_killed_started_and_read_one_by_one(directory: Path) -> None:
    consentry(directory, "network", "kill", "peer-hillside")
    states = json.loads(consentry(directory, "network", "status", "--json"))
    assert {node["name"]: node["state"] for node in states}["peer-hillside"] == "died"
    consentry(directory, "network", "stop", "orderer-hillside")
    consentry(directory, "network", "start", "orderer-hillside")
    consentry(directory, "network", "start", "peer-hillside")
    assert "peer" in consentry(directory, "network", "logs", "peer-hillside")
    consentry(directory, "network", "down")
    consentry(directory, "network", "up")
    record_consent(directory, "hillside", "patient-4")


def test_a_hospital_that_leaves_is_in_the_settings_no_more(directory: Path) -> None:
    consentry(directory, "network", "remove", "hillside", "--yes")
    shown = consentry(directory, "--as", "northgate/steward", "settings", "show", "--json")
    assert "HillsideMSP" not in shown
    record_consent(directory, "northgate", "patient-3")
