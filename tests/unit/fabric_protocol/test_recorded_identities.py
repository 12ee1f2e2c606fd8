"""Identities, signatures and policies of blocks that real peers and orderers made."""

import pytest
from support.recorded_blocks import (
    chaincode_name,
    creator,
    endorsed_action,
    envelopes,
    peer_blocks,
    recorded_block,
)

from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.errors import SignatureError
from fabric_protocol.policies import SignaturePolicy, SignedData, parse_policy, signing_identities
from fabric_protocol.principals import role_principal
from fabric_protocol.signatures import verify

CONFIG = ChannelConfig.from_block(recorded_block("peer-00"))
TRANSACTIONS = [
    (block.header.number, index, envelope)
    for block in peer_blocks()[1:]
    for index, envelope in enumerate(envelopes(block))
]


def endorsements(envelope: object) -> list[SignedData]:
    action = endorsed_action(envelope)
    payload = action.proposal_response_payload
    return [
        SignedData(payload + item.endorser, item.endorser, item.signature) for item in action.endorsements
    ]


@pytest.mark.parametrize(("number", "index", "envelope"), TRANSACTIONS)
def test_every_creator_is_valid_and_signed(number: int, index: int, envelope: object) -> None:
    identity = CONFIG.msps.deserialize(creator(envelope))
    CONFIG.msps.validate(identity)
    verify(identity.public_key, envelope.signature, envelope.payload)
    signed = SignedData(envelope.payload, creator(envelope), envelope.signature)
    assert CONFIG.policies.policy("/Channel/Application/Writers").evaluate([signed])
    assert not CONFIG.policies.policy("/Channel/Application/Endorsement").evaluate([signed])
    with pytest.raises(SignatureError):
        verify(identity.public_key, envelope.signature, envelope.payload + b"\x00")


@pytest.mark.parametrize(("number", "index", "envelope"), TRANSACTIONS)
def test_every_endorsement_is_a_peers(number: int, index: int, envelope: object) -> None:
    found = signing_identities(endorsements(envelope), CONFIG.msps)
    assert len(found) == len(endorsements(envelope)) >= 1
    for identity in found:
        assert CONFIG.msps.satisfies(identity, role_principal(identity.msp_id, "peer"))


@pytest.mark.parametrize(("number", "index", "envelope"), TRANSACTIONS)
def test_the_and_policy_holds_except_for_what_one_organization_endorsed(
    number: int, index: int, envelope: object
) -> None:
    policy = SignaturePolicy(parse_policy("AND('Org1MSP.peer','Org2MSP.peer')"), CONFIG.msps)
    signed = endorsements(envelope)
    endorsed_by_one = number in (1, 6, 7)
    assert policy.evaluate(signed) is not endorsed_by_one
    assert not policy.evaluate(signed[:1])
    assert not policy.evaluate([signed[0], signed[0]])
    majority = CONFIG.policies.policy("/Channel/Application/LifecycleEndorsement")
    assert majority.evaluate(signed) is not endorsed_by_one


def test_the_recording_has_the_chaincodes_that_its_readme_names() -> None:
    names = {number: chaincode_name(envelope) for number, _, envelope in TRANSACTIONS}
    assert {names[1], names[2]} == {"_lifecycle"}
    assert "_lifecycle" not in {names[number] for number in range(3, 15)}


def test_an_identity_with_attributes_shows_them() -> None:
    identity = CONFIG.msps.deserialize(creator(envelopes(recorded_block("peer-13"))[0]))
    assert identity.attributes["role"] == "steward"
    assert identity.attributes["clearance"] == "3"
    assert "client" in identity.organizational_units
