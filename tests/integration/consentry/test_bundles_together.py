"""Organizations on machines of their own change their network together; none has another's keys.

The machines are network namespaces: what a command cannot reach there, it does not use.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.consent_frames import END, consent_frame
from support.installed_command import CONSENTRY, run_consentry
from support.machines import Machines, machines
from support.optional_tools import find_optional_tool

from fabric_protocol.config_review import read_proposal

pytestmark = [
    pytest.mark.timeout(500),
    pytest.mark.optional_tool("fabric-binaries"),
    pytest.mark.optional_tool("network-namespaces"),
]
FOUNDERS = {"northgate": "hospital", "riverside": "hospital", "regulator": "regulator"}
HILLSIDE = "hillside"


class Consortium:
    """The bundles, each on its own machine."""

    def __init__(self, directory: Path, machines_: Machines) -> None:
        self.directory = directory
        self.machines = machines_

    def consentry(self, name: str, *arguments: str) -> str:
        command = [CONSENTRY, "--network", str(self.directory / name), *arguments]
        return self.machines.run(name, command)

    def refused(self, name: str, *arguments: str) -> str:
        command = [CONSENTRY, "--network", str(self.directory / name), *arguments]
        return self.machines.run(name, command, status=1)

    def agree(self, proposal: Path, *signers: str) -> None:
        """Each looks at a proposal and signs it; the last one sends it."""
        for name in signers:
            self.consentry(name, "network", "proposal", "show", str(proposal))
            self.consentry(name, "network", "proposal", "sign", str(proposal))
        assert "in force" in self.consentry(signers[-1], "network", "proposal", "submit", str(proposal))


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Three organizations that are up, and a machine for a fourth."""
    find_optional_tool("fabric-binaries")
    find_optional_tool("network-namespaces")
    directory = tmp_path_factory.mktemp("together")
    with machines([*FOUNDERS, HILLSIDE]) as machines_:
        found = Consortium(directory, machines_)
        organizations = [
            {"name": name, "kind": kind, "host": machines_.addresses[name], "country": "IE"}
            for name, kind in FOUNDERS.items()
        ]
        (directory / "ours.yaml").write_text(yaml.safe_dump({"organizations": organizations}))
        whole = str(directory / "whole")
        run_consentry("--network", whole, "network", "create", "--topology", str(directory / "ours.yaml"))
        for name in FOUNDERS:
            run_consentry("--network", whole, "network", "export", name, "--to", str(directory / name))
        try:
            at_once(found, list(FOUNDERS), "network", "up")
            yield found
        finally:
            for name in (*FOUNDERS, HILLSIDE):
                if (directory / name / "network.json").exists():
                    found.consentry(name, "network", "down")


def at_once(consortium: Consortium, names: list[str], *arguments: str) -> list[str]:
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(lambda name: consortium.consentry(name, *arguments), names))


def record_consent(consortium: Consortium, name: str, pseudonym: str) -> str:
    """A hospital's steward imports one consent; its id."""
    frame = consent_frame([pseudonym]).assign(not_after=END)
    lists = ["purposes", "restrictions", "categories", "recipients"]
    frame[lists] = frame[lists].map(";".join)
    path = consortium.directory / f"{pseudonym}.csv"
    frame.to_csv(path, index=False)
    steward = ("--as", f"{name}/steward")
    wallet = consortium.directory / name / "wallets" / name
    if "steward" not in {path.stem for path in wallet.glob("*")}:
        consortium.consentry(name, "network", "enroll", name, "steward", "--role", "steward")
    before = consents_of(consortium, name)
    consortium.consentry(name, *steward, "consents", "import", str(path))
    (consent,) = consents_of(consortium, name) - before
    return consent


def consents_of(consortium: Consortium, name: str) -> set[str]:
    """Ids of a hospital's consents, as its steward lists them."""
    listed = consortium.consentry(name, "--as", f"{name}/steward", "consents", "list", "--json")
    return {str(item["consent_id"]) for item in json.loads(listed)["items"]}


_PRIVATE = """
import sys
from pathlib import Path
from consentry import Wallet, connect
directory, name, consent = sys.argv[1:]
steward = Wallet(Path(directory) / "wallets" / name).get("steward")
with connect(Path(directory), steward) as ledger:
    print(ledger.consents.private_entry(consent)["pseudonym"])
"""


def private_pseudonym(consortium: Consortium, name: str, consent: str) -> str:
    """Whose consent it is, as a hospital's steward reads in its own collection at whichever peer answers."""
    directory = str(consortium.directory / name)
    return consortium.machines.run(name, [sys.executable, "-c", _PRIVATE, directory, name, consent]).strip()


def settings_of(consortium: Consortium, name: str) -> Any:
    return json.loads(consortium.consentry(name, "--as", f"{name}/service", "settings", "show", "--json"))


def test_a_hospital_from_outside_joins_and_endorses(consortium: Consortium) -> None:
    directory = consortium.directory
    invitation, proposal = directory / "invitation.json", directory / "hillside.proposal"
    host = consortium.machines.addresses[HILLSIDE]
    consortium.consentry("riverside", "network", "invite", "--to", str(invitation))
    consortium.consentry(
        HILLSIDE, "network", "accept", str(invitation), HILLSIDE, "--host", host, "--country", "DE"
    )
    member = directory / HILLSIDE / "member.json"
    assert "PRIVATE" not in member.read_text() + invitation.read_text()
    # Before the channel knows it, the others do not adopt it.
    assert "signed and submitted first" in consortium.refused("northgate", "network", "adopt", str(member))

    shown = consortium.consentry(
        "northgate", "network", "proposal", "add", str(member), "--to", str(proposal)
    )
    assert "members: hillside joins" in shown
    assert f"ordering node {host}:" in shown
    refusal = consortium.refused("northgate", "network", "proposal", "submit", str(proposal))
    assert "/Channel/Application/Admins asks for a majority" in refusal
    assert "not signed by northgate, regulator, riverside" in refusal
    consortium.consentry("northgate", "network", "proposal", "sign", str(proposal))
    once = consortium.consentry("riverside", "network", "proposal", "show", str(proposal))
    assert "not signed by regulator, riverside" in once
    assert "signed it already" in consortium.refused(
        "northgate", "network", "proposal", "sign", str(proposal)
    )
    consortium.agree(proposal, "riverside")
    # What is in force already cannot be sent again.
    assert "CONFIG_VERSION_CONFLICT" in consortium.refused(
        "northgate", "network", "proposal", "submit", str(proposal)
    )
    told = [consortium.consentry(name, "network", "adopt", str(member)) for name in FOUNDERS]
    assert all("hillside is known here" in text for text in told)
    consortium.consentry(HILLSIDE, "network", "up")
    assert settings_of(consortium, HILLSIDE)["organizations"][-1] == {
        "msp_id": "HillsideMSP",
        "kind": "hospital",
        "country": "DE",
    }
    # A hospital's own transactions need its own peer's endorsement.
    consent = record_consent(consortium, HILLSIDE, "patient-1")
    consortium.consentry("riverside", "network", "enroll", "riverside", "auditor", "--role", "auditor")
    shown = consortium.consentry(
        "riverside", "--as", "riverside/auditor", "consents", "show", consent, "--json"
    )
    assert json.loads(shown)["custodian"] == "HillsideMSP"


def test_an_altered_proposal_is_signed_by_nobody_more(consortium: Consortium) -> None:
    proposal = consortium.directory / "altered.proposal"
    consortium.consentry(
        "northgate", "network", "proposal", "blocks", "--transactions", "77", "--to", str(proposal)
    )
    consortium.consentry("northgate", "network", "proposal", "sign", str(proposal))
    data = proposal.read_bytes()
    update = read_proposal(data).config_update
    proposal.write_bytes(data.replace(update, update.replace(b"\x08\x4d", b"\x08\x4e")))
    assert "max message count: 78" in consortium.consentry(
        "riverside", "network", "proposal", "show", str(proposal)
    )
    assert "PROPOSAL_ALTERED" in consortium.refused("riverside", "network", "proposal", "sign", str(proposal))
    assert "PROPOSAL_UNSIGNED" in consortium.refused(
        "riverside", "network", "proposal", "submit", str(proposal)
    )


def test_a_revocation_is_proposed_and_its_user_is_refused(consortium: Consortium) -> None:
    directory = consortium.directory
    revoked, proposal = directory / "northgate.crl.pem", directory / "revocation.proposal"
    asks = ("--as", "northgate/leaver", "settings", "show")
    consortium.consentry("northgate", "network", "enroll", "northgate", "leaver", "--role", "auditor")
    consortium.consentry("northgate", "network", "revoke", "northgate", "leaver", "--crl", str(revoked))
    consortium.consentry("northgate", *asks)
    shown = consortium.consentry(
        "northgate", "network", "proposal", "revocations", "northgate", str(revoked), "--to", str(proposal)
    )
    assert "revo" in shown
    # An organization's own administrator is enough.
    consortium.agree(proposal, "northgate")
    consortium.refused("northgate", *asks)
    record_consent(consortium, "northgate", "patient-7")


def test_an_ordering_node_gets_new_certificates(consortium: Consortium) -> None:
    assert "CERTIFICATES_UNKNOWN" in consortium.refused("northgate", "network", "rotate", "orderer-northgate")
    proposal = consortium.directory / "rotation.proposal"
    shown = consortium.consentry(
        "northgate", "network", "proposal", "rotate", "orderer-northgate", "--to", str(proposal)
    )
    assert "no longer" in shown
    consortium.agree(proposal, "northgate", "riverside", "regulator")
    consortium.consentry("northgate", "network", "rotate", "orderer-northgate")
    consortium.consentry("northgate", "network", "rotate", "peer-northgate")
    record_consent(consortium, "northgate", "patient-2")


def test_each_upgrades_and_whoever_is_last_commits(consortium: Consortium) -> None:
    names = [
        name for name in (*FOUNDERS, HILLSIDE) if (consortium.directory / name / "network.json").exists()
    ]
    needed = len(names) // 2 + 1
    told = [consortium.consentry(name, "network", "upgrade", "1.1") for name in names]
    for number, text in enumerate(told, start=1):
        in_force = "Version 1.1 of the chaincode is in force." in text
        assert in_force == (number >= needed), text
    # Those who came before it was in force end their old services when they ask again.
    for name in names[: needed - 1]:
        assert "is in force." in consortium.consentry(name, "network", "upgrade", "1.1")
    status = consortium.consentry("northgate", "network", "status")
    assert "chaincode-northgate-2" in status
    units = {path.name for path in (consortium.directory / "northgate" / "systemd").iterdir()}
    assert "consentry-chaincode-northgate-2.service" in units
    assert "consentry-chaincode-northgate.service" not in units
    record_consent(consortium, "northgate", "patient-3")


def test_a_hospital_runs_another_peer(consortium: Consortium) -> None:
    assert "runs elsewhere" in consortium.refused("regulator", "network", "add-peer", "northgate")
    consortium.consentry("northgate", "network", "add-peer", "northgate")
    member = str(consortium.directory / "northgate" / "member.json")
    names = [
        name for name in (*FOUNDERS, HILLSIDE) if (consortium.directory / name / "network.json").exists()
    ]
    for name in names:
        assert "northgate is known here" in consortium.consentry(name, "network", "adopt", member)
    consent = record_consent(consortium, "northgate", "patient-5")
    # The first peer handed what is private to the second one, which has it, endorses and is indexed from
    # while that is away.
    consortium.consentry("northgate", "network", "stop", "peer-northgate")
    assert private_pseudonym(consortium, "northgate", consent) == "patient-5"
    record_consent(consortium, "northgate", "patient-6")
    consortium.consentry("northgate", "network", "start", "peer-northgate")
    units = {path.name for path in (consortium.directory / "northgate" / "systemd").iterdir()}
    assert "consentry-peer-northgate-2.service" in units
    profile = json.loads((consortium.directory / "riverside" / "network.json").read_text())
    assert len(profile["organizations"]["NorthgateMSP"]["peers"]) == 2


def test_an_organization_leaves(consortium: Consortium) -> None:
    if not (consortium.directory / HILLSIDE / "network.json").exists():
        pytest.fail("hillside did not join")
    assert "no organization hilside" in consortium.refused("northgate", "network", "release", "hilside")
    for name in FOUNDERS:
        consortium.consentry(name, "network", "release", HILLSIDE)
    proposal = consortium.directory / "leaves.proposal"
    consortium.consentry("regulator", "network", "proposal", "remove", HILLSIDE, "--to", str(proposal))
    shown = consortium.consentry("riverside", "network", "proposal", "show", str(proposal))
    assert "members: hillside leaves" in shown
    consortium.agree(proposal, "regulator", "northgate", "riverside")
    consortium.consentry(HILLSIDE, "network", "down")
    assert "HillsideMSP" not in json.dumps(settings_of(consortium, "northgate"))
    record_consent(consortium, "northgate", "patient-4")
