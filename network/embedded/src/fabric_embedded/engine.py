"""The engine: one channel with its ordering, its peers and its ledger, in one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabric_embedded.ledger import Ledger
    from fabric_embedded.peer import Peer
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.topology import Topology
    from fabric_protos.common import common_pb2


class Engine:
    """A channel: `open`, `start`, serve, `close`."""

    channel_id: str
    topology: Topology
    config: ChannelConfig
    peers: Mapping[str, Peer]
    ledger: Ledger

    @classmethod
    async def open(cls, directory: Path) -> Engine:
        """Open the network's ledger, creating it from `genesis.block` if there is none.

        Raises:
            LedgerError: the ledger cannot be opened, or belongs to another genesis block.
        """
        raise NotImplementedError

    async def start(self) -> None:
        """Order and commit; connect chaincode services as they appear; at the first start deploy the definition."""
        raise NotImplementedError

    async def close(self) -> None:
        """Finish the block at hand, disconnect, close files."""
        raise NotImplementedError

    async def broadcast(self, envelope: common_pb2.Envelope) -> tuple[int, str]:
        """Take an envelope for ordering; (status, info) as the orderer's Broadcast answers (`common.Status`)."""
        raise NotImplementedError
