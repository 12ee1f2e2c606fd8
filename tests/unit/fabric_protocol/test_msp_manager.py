"""The MSPs of a channel together: who is known, what is kept."""

import pytest
from support.sample_organizations import SampleOrganization, manager

from fabric_protocol.errors import ConfigError, IdentityError
from fabric_protocol.identities import serialize_identity
from fabric_protocol.msp import MspManager
from fabric_protocol.principals import role_principal

ALPHA = SampleOrganization("AlphaMSP")
MSPS = manager(ALPHA, SampleOrganization("BetaMSP"))
CLIENT = ALPHA.member("client", attributes={"consentry.role": "steward"})


def test_the_manager_knows_its_msps_only() -> None:
    assert MSPS.msp_ids == ("AlphaMSP", "BetaMSP")
    stranger = SampleOrganization("GammaMSP").member("client")
    for attempt in (
        lambda: MSPS.deserialize(stranger.serialized),
        lambda: MSPS.validate(stranger.identity),
        lambda: MSPS.msp("GammaMSP"),
        lambda: ALPHA.msp().deserialize(stranger.serialized),
        lambda: ALPHA.msp().validate(stranger.identity),
    ):
        with pytest.raises(IdentityError) as caught:
            attempt()
        assert caught.value.code == "MSP_UNKNOWN"
    assert not MSPS.satisfies(stranger.identity, role_principal("GammaMSP", "member"))
    with pytest.raises(ConfigError) as duplicated:
        MspManager([ALPHA.msp(), ALPHA.msp()])
    assert duplicated.value.code == "MSP_DUPLICATED"


def test_the_manager_reads_the_same_bytes_once() -> None:
    assert MSPS.deserialize(CLIENT.serialized) is MSPS.deserialize(bytes(bytearray(CLIENT.serialized)))
    with pytest.raises(IdentityError) as first:
        MSPS.deserialize(b"garbage")
    with pytest.raises(IdentityError) as second:
        MSPS.deserialize(b"garbage")
    assert first.value is not second.value


def test_what_is_large_is_judged_the_same_and_not_kept() -> None:
    large = serialize_identity("AlphaMSP", CLIENT.pem + b"x" * 100_000)
    identity = MSPS.deserialize(large)
    MSPS.validate(identity)
    assert identity.key == MSPS.deserialize(CLIENT.serialized).key
    assert MSPS.deserialize(large) is not identity
