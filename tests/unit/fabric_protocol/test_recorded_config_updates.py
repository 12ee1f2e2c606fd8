"""Configuration updates that real orderers applied and real peers validated."""

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_protocol.block_signatures import verify_block_signatures
from fabric_protocol.blocks import check_well_formed, last_config_index, parse_block, transaction_flags
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_update import apply_config, propose_config
from fabric_protocol.errors import ConfigError, ProtocolError
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.validation import validate_block

FIXTURES = Path(__file__).parents[2] / "fixtures" / "fabric-config"
BLOCKS = [parse_block((FIXTURES / f"block-{number}.block").read_bytes()) for number in ("000", 197, 198, 208)]
CONFIGS = [ChannelConfig.from_block(block) for block in BLOCKS]
UPDATES = tuple(zip(pairwise(CONFIGS), BLOCKS[1:], strict=True))


def config_of(block: Any) -> Any:
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    return configtx_pb2.ConfigEnvelope.FromString(common_pb2.Payload.FromString(envelope.payload).data)


def update_of(block: Any) -> Any:
    payload = common_pb2.Payload.FromString(config_of(block).last_update.payload)
    content = configtx_pb2.ConfigUpdateEnvelope.FromString(payload.data)
    return configtx_pb2.ConfigUpdate.FromString(content.config_update)


def test_the_recorded_changes() -> None:
    assert [config.sequence for config in CONFIGS] == [0, 1, 2, 3]
    first, second = CONFIGS[:2]
    assert first.max_message_count != second.max_message_count
    assert first.acls != CONFIGS[2].acls != CONFIGS[3].acls


@pytest.mark.parametrize(("configs", "block"), UPDATES)
def test_what_orderers_made_is_what_is_computed_here(configs: tuple[Any, Any], block: Any) -> None:
    before, after = configs
    config = config_of(block)
    proposed, found = propose_config(before, config.last_update)

    assert proposed == config
    assert found.group == after.group
    assert apply_config(before, config).group == after.group


@pytest.mark.parametrize(("configs", "block"), UPDATES)
def test_what_configtxlator_computed_is_what_is_computed_here(configs: tuple[Any, Any], block: Any) -> None:
    before, after = configs
    assert compute_update(before.channel_id, before.group, after.group) == update_of(block)


@pytest.mark.parametrize(("configs", "block"), UPDATES)
def test_blocks_are_judged_by_the_configuration_before(configs: tuple[Any, Any], block: Any) -> None:
    before, after = configs
    check_well_formed(block)
    verify_block_signatures(block, before)
    validated = validate_block(block, config=before, state=MemoryState(), known_transactions=lambda _ids: ())

    assert validated.flags == transaction_flags(block)
    assert validated.new_config is not None
    assert validated.new_config.group == after.group
    assert last_config_index(block) == block.header.number


def test_an_update_fits_the_configuration_it_was_made_for_only() -> None:
    for position, config in enumerate(CONFIGS):
        for number, block in enumerate(BLOCKS[1:]):
            if position != number:
                with pytest.raises(ConfigError):
                    apply_config(config, config_of(block))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    (before, after), block = UPDATES[data.draw(st.integers(0, len(UPDATES) - 1))]
    content = bytearray(config_of(block).SerializeToString())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))

    # Nothing protects the outer signature of an update: administrators sign what is inside.
    with suppress(ProtocolError, DecodeError):
        damaged = configtx_pb2.ConfigEnvelope.FromString(bytes(content))
        assert apply_config(before, damaged).group == after.group
