"""Blocks that change the channel's configuration, as a peer judges them."""

from contextlib import suppress
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from support.config_changes import config_signer, ordered_change
from support.sample_channel import SampleLedger, members

from fabric_protocol.config_editing import with_batch_size, with_revocation_list
from fabric_protocol.config_signing import config_envelope
from fabric_protocol.errors import BlockError, ProtocolError

ORDERER = members("AlphaMSP").orderer
ADMINS = [members(msp_id).organization.member("admin", name="admin-1") for msp_id in ("AlphaMSP", "BetaMSP")]
LEDGER = SampleLedger()
ENTRY = ordered_change(
    LEDGER.config, with_batch_size(LEDGER.config.group, max_message_count=7), ADMINS, ORDERER
)


def config_of(entry: bytes) -> Any:
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(entry).payload)
    return configtx_pb2.ConfigEnvelope.FromString(payload.data)


def test_the_configuration_comes_into_force_and_into_state() -> None:
    validated = LEDGER.validate(LEDGER.block(ENTRY))

    assert validated.codes == (0,)
    assert validated.new_config is not None
    assert (validated.new_config.sequence, validated.new_config.max_message_count) == (1, 7)
    (update,) = validated.updates.public
    assert (update.namespace, update.key) == ("", "CHANNEL_CONFIG_ENV_BYTES")
    assert update.version == (1, 0)
    assert configtx_pb2.ConfigEnvelope.FromString(update.value or b"") == config_of(ENTRY)
    assert validated.rwsets == (None,)


def test_a_revoked_creator_is_invalid_in_later_blocks_only() -> None:
    ledger = SampleLedger()
    alpha = members("AlphaMSP")
    early, late = (ledger.envelope(ledger.simulate(lambda _simulator: None).public) for _ in range(2))
    ledger.commit(ledger.block(early))
    revocations = alpha.organization.revocation_list([alpha.client.certificate])
    changed = with_revocation_list(ledger.config.group, "AlphaMSP", revocations)
    validated = ledger.commit(ledger.block(ordered_change(ledger.config, changed, ADMINS[:1], ORDERER)))
    assert validated.new_config is not None
    ledger.config = validated.new_config

    # BAD_CREATOR_SIGNATURE
    assert ledger.validate(ledger.block(late)).codes == (4,)


def test_expired_identities_count_where_nobody_asks_for_the_date() -> None:
    """Administrators who signed an update and creators of transactions: only entrances look at expiry."""
    alpha = members("AlphaMSP").organization
    expired = [alpha.member("admin", valid_days=1), ADMINS[1]]
    changed = with_batch_size(LEDGER.config.group, max_message_count=8)
    entry = ordered_change(LEDGER.config, changed, expired, alpha.member("orderer", valid_days=1))

    assert LEDGER.validate(LEDGER.block(entry)).codes == (0,)


def test_a_configuration_stands_alone() -> None:
    other = LEDGER.envelope(LEDGER.simulate(lambda _simulator: None).public)
    for entries in ((ENTRY, other), (other, ENTRY), (ENTRY, ENTRY)):
        with pytest.raises(BlockError) as caught:
            LEDGER.validate(LEDGER.block(*entries))
        assert caught.value.code == "CONFIG_NOT_ALONE"


def test_an_orderers_signature_is_no_authority() -> None:
    """What an orderer alone cannot do: a configuration whose update it made up."""
    config = config_of(ENTRY)
    config.config.channel_group.CopyFrom(with_batch_size(LEDGER.config.group, max_message_count=1))
    forged = config_envelope("sample", config, config_signer(ORDERER)).SerializeToString()

    with pytest.raises(ProtocolError) as caught:
        LEDGER.validate(LEDGER.block(forged))
    assert caught.value.code == "CONFIG_RESULT_WRONG"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_configuration_that_an_orderer_signs_is_refused_or_the_same(data: st.DataObject) -> None:
    content = bytearray(config_of(ENTRY).SerializeToString())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    # Signed as bytes: the message itself may be unreadable.
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(ENTRY).payload)
    payload.data = bytes(content)
    signed = ORDERER.signed(payload.SerializeToString())
    entry = common_pb2.Envelope(payload=signed.data, signature=signed.signature).SerializeToString()

    with suppress(ProtocolError):
        validated = LEDGER.validate(LEDGER.block(entry))
        assert validated.new_config is not None
        assert validated.new_config.group == config_of(ENTRY).config.channel_group
