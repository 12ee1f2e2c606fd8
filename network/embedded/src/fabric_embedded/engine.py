"""The engine: one channel with its ordering, its peers and its ledger, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fabric_embedded.assembly import EngineMaterial, build_peers, read_material
from fabric_embedded.endorsement.admission import ProposalGate
from fabric_embedded.ledger import Ledger
from fabric_embedded.lifecycle.deployment import Deployment
from fabric_embedded.ordering.committer import CommittedBlock, Committer
from fabric_embedded.ordering.service import OrderingService
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.storage.snapshots import CurrentSnapshot

if TYPE_CHECKING:
    from fabric_protos.common import common_pb2

    from fabric_embedded.peer import Peer
    from fabric_embedded.storage.snapshots import Snapshot
    from fabric_protocol.channel_config import ChannelConfig

_PATIENCE_SECONDS = 5.0


class Engine:
    """A channel: `open`, `start`, serve, `close`. Event loop only.

    Attributes:
        topology: what the network is.
        channel_id: of its one channel.
        peers: by MSP id.
        ledger: blocks, state, waiting.
    """

    def __init__(self, material: EngineMaterial, committer: Committer, snapshot: Snapshot) -> None:
        self.topology = material.topology
        self.channel_id = material.topology.channel
        self._material = material
        self._committer = committer
        self._snapshots = CurrentSnapshot(committer.pool)
        self._snapshots.replace(snapshot)
        self.ledger = Ledger(material.ledger_directory)
        self._ordering = OrderingService(committer, self._snapshots, self._announce)
        self._writers = ThreadPoolExecutor(len(material.peers), thread_name_prefix="private data")
        gate = ProposalGate(lambda identifier: self.ledger.transaction(identifier) is not None)
        built = build_peers(
            material, committer, gate, self._snapshots, self._writers, config=lambda: self.config
        )
        self.peers: Mapping[str, Peer] = {msp_id: peer for msp_id, (peer, _) in built.items()}
        self._links = tuple(link for _, link in built.values())

    @classmethod
    async def open(cls, directory: Path) -> Engine:
        """Open the network's ledger, creating it from `genesis.block` if there is none.

        Parameters:
            directory: the network's directory.

        Raises:
            LedgerError: the ledger cannot be opened, or belongs to another genesis block.
            MaterialError: MATERIAL_UNREADABLE; KEY_MISMATCH, a key is not its certificate's.
        """
        return cls.from_material(read_material(NetworkPaths(directory)))

    @classmethod
    def from_material(cls, material: EngineMaterial) -> Engine:
        """Open a ledger with material that was read or made already; call with a running event loop.

        Raises:
            LedgerError: as `open`.
        """
        committer = Committer(material.ledger_directory, material.members, material.ordering_node)
        return cls(material, committer, committer.open(material.genesis))

    @property
    def config(self) -> ChannelConfig:
        """The channel's configuration in force."""
        return self._committer.config

    async def start(self) -> None:
        """Order and commit; connect chaincode services as they appear; at first deploy the definition.

        Raises:
            ChaincodeError: DEPLOYMENT_FAILED.
        """
        self._ordering.start()
        for link in self._links:
            link.open()
        deployment = Deployment(self, self.ledger.wait_for_transaction, self._material.administrators)
        async with self._snapshots.use() as snapshot:
            await deployment.run(self.topology.chaincode, snapshot.state, snapshot.private)
        self._connect_services()

    async def close(self) -> None:
        """Finish the block at hand, disconnect, close files."""
        await self._ordering.close()
        await asyncio.gather(
            *(link.close() for link in self._links), *(peer.disconnect() for peer in self.peers.values())
        )
        await self._snapshots.close(_PATIENCE_SECONDS)
        self.ledger.close()
        self._writers.shutdown()
        self._committer.close()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """The ledger at its present height, private data too; it stays as it is until the block ends.

        Raises:
            LedgerError: LEDGER_CLOSED.
        """
        async with self._snapshots.use() as snapshot:
            yield snapshot

    async def broadcast(self, envelope: common_pb2.Envelope) -> tuple[int, str]:
        """Take an envelope for ordering; (status, info) as Broadcast answers (`common.Status`)."""
        return await self._ordering.broadcast(envelope)

    def _announce(self, committed: CommittedBlock) -> None:
        self.ledger.announce(committed)
        if committed.snapshot.lifecycle_height == committed.record.number + 1:
            self._connect_services()

    def _connect_services(self) -> None:
        """Which chaincode services the peers need may have changed."""
        for peer in self.peers.values():
            peer.connect()
