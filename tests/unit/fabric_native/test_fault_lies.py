"""What the ordering node that lies hands out is no block of the channel, by our own checks as by Fabric's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.conformance.chains import recorded_chain
from support.faults.lying_orderer import LIES

from fabric_protocol.block_signatures import verify_block_signatures
from fabric_protocol.blocks import check_link, check_well_formed, header_hash, parse_block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.errors import ProtocolError


def _check(block: Any, before: Any, config: ChannelConfig) -> None:
    check_link(block, number=before.header.number + 1, previous_hash=header_hash(before.header))
    check_well_formed(block)
    verify_block_signatures(block, config)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_every_lie_is_found(lie: Callable[[Any], None]) -> None:
    genesis, *blocks = [parse_block(data) for data in recorded_chain("bft")]
    config = ChannelConfig.from_block(genesis)
    before, block = blocks[4:6]
    _check(block, before, config)
    lie(block)
    with pytest.raises(ProtocolError):
        _check(block, before, config)
