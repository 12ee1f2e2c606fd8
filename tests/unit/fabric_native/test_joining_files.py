"""Files by which an organization joins from outside: others read them, so nothing is taken on trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.embedded import two_organization_topology
from support.sample_channel import sample_genesis
from support.sample_organizations import SampleOrganization

from fabric_native.invitation import Invitation
from fabric_native.member_file import MemberFile
from fabric_protocol.certificates import key_pem, new_private_key
from fabric_protocol.channel_config import ChannelConfig, OrganizationConfig, genesis_block
from fabric_protocol.config_editing import with_organization
from fabric_protocol.errors import TopologyError
from fabric_protocol.membership_editing import channel_consenters, with_consenter
from fabric_protocol.ordering_config import RAFT, Consenter, OrderingConfig
from fabric_protocol.topology import Organization

SAMPLE = SampleOrganization("HillsideMSP")
ROOT = SAMPLE.authority.pem
MEMBER = MemberFile(
    organization=Organization("hillside", "HillsideMSP", "hospital", country="IE", host="10.0.0.9"),
    ports={"ca-hillside": 7054, "orderer-hillside": 7050, "peer-hillside": 7051},
    root=ROOT,
    tls_root=ROOT,
    orderer_identity=SAMPLE.member("orderer").pem,
    orderer_tls=SAMPLE.member(name="orderer", server=True, client=True).pem,
)
TOPOLOGY = two_organization_topology()
NAMES = [f"{kind}-{item.name}" for item in TOPOLOGY.organizations for kind in ("ca", "orderer", "peer")]


def changed(data: bytes, change: Callable[[Any], object]) -> bytes:
    document = json.loads(data)
    change(document)
    return json.dumps(document).encode()


def test_a_member_file_comes_back_as_it_was() -> None:
    assert MemberFile.from_json(MEMBER.to_json()) == MEMBER
    assert MEMBER.consenter.host == "10.0.0.9"
    assert MEMBER.consenter.port == 7050


PRIVATE = ROOT + key_pem(new_private_key())
_ALTERED: dict[str, Callable[[Any], object]] = {
    "not an object": lambda document: document.clear(),
    "unknown field": lambda document: document.update(more=1),
    "leads out": lambda document: document["organization"].update(name="../../etc"),
    "no host": lambda document: document["organization"].pop("host"),
    "country": lambda document: document["organization"].update(country="Ireland"),
    "no port": lambda document: document["ports"].pop("orderer-hillside"),
    "another's port": lambda document: document["ports"].update({"peer-northgate": 7}),
    "port of another kind": lambda document: document["ports"].update({"peer-hillside": True}),
    "port too high": lambda document: document["ports"].update({"peer-hillside": 70000}),
    "no certificate": lambda document: document.update(root="-----BEGIN CERTIFICATE-----"),
    "not ASCII": lambda document: document.update(tls_root="ä"),
    "a private key": lambda document: document.update(root=PRIVATE.decode()),
}


@pytest.mark.parametrize("what", _ALTERED)
def test_an_altered_member_file_is_refused(what: str) -> None:
    with pytest.raises(TopologyError):
        MemberFile.from_json(changed(MEMBER.to_json(), _ALTERED[what]))


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_file_of_these_is_refused(data: bytes) -> None:
    for kind in (MemberFile, Invitation):
        with pytest.raises(TopologyError):
            kind.from_json(data)


def invitation() -> Invitation:
    genesis = sample_genesis("AlphaMSP", "BetaMSP")
    channel = ChannelConfig.from_block(genesis).channel_id
    topology = two_organization_topology()
    object.__setattr__(topology, "channel", channel)
    ports = {name: 7000 + number for number, name in enumerate(NAMES)}
    roots = {item.name: ROOT for item in topology.organizations}
    return Invitation(topology, ports, genesis.SerializeToString(), roots)


def test_an_invitation_comes_back_as_it_was() -> None:
    found = invitation()
    assert Invitation.from_json(found.to_json()) == found
    assert len(found.anchor) == 64


_SPOILT: dict[str, Callable[[Any], object]] = {
    "no port": lambda document: document["ports"].popitem(),
    "another port": lambda document: document["ports"].update({"peer-gamma": 7}),
    "port zero": lambda document: document["ports"].update({NAMES[0]: 0}),
    "no root": lambda document: document["tls_roots"].popitem(),
    "not a root": lambda document: document["tls_roots"].update(alpha="x"),
    "root of another kind": lambda document: document["tls_roots"].update(alpha=7),
    "a private key": lambda document: document["tls_roots"].update(alpha=PRIVATE.decode()),
    "no block": lambda document: document.update(genesis="AAAA"),
    "not base64": lambda document: document.update(genesis="*"),
    "another channel": lambda document: document["topology"].update(channel="elsewhere"),
}


@pytest.mark.parametrize("what", _SPOILT)
def test_an_altered_invitation_is_refused(what: str) -> None:
    with pytest.raises(TopologyError):
        Invitation.from_json(changed(invitation().to_json(), _SPOILT[what]))


def test_a_member_file_is_what_the_channel_then_says() -> None:
    first = SampleOrganization("FirstMSP")
    pem = first.member("orderer").pem
    ordering = OrderingConfig(consensus=RAFT, consenters=(Consenter("localhost", 7050, pem, pem),))
    founder = OrganizationConfig("first", "FirstMSP", first.msp_config(), ("localhost:7050",))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    group = ChannelConfig.from_block(genesis_block("c", [founder], ordering, timestamp=start)).group
    grown = with_consenter(with_organization(group, MEMBER.config), MEMBER.consenter)
    assert [(item.host, item.port) for item in channel_consenters(grown)] == [
        ("localhost", 7050),
        ("10.0.0.9", 7050),
    ]
    joined = grown.groups["Application"].groups["hillside"]
    assert joined.values["MSP"].value == MEMBER.config.msp_config.SerializeToString(deterministic=True)
