"""The verified trail as one member has it: an index of its own that follows its organization's peer."""

from __future__ import annotations

from sqlalchemy import Engine

from consentry.index import IndexFollower
from consentry.profile import NetworkProfile
from consentry.recorded_trail import RecordedTrail, RecordRead
from consentry.verification.peers import own_peer
from fabric_gateway import Network


class LedgerTrail(RecordedTrail):
    """Questions to the index, which `update` brings up to the newest block of the own peer.

    Answers are complete up to the last block of `status`, and no later one: call `update` first.
    """

    def __init__(
        self, engine: Engine, record: RecordRead, profile: NetworkProfile, msp_id: str, network: Network
    ) -> None:
        super().__init__(engine, record)
        self._profile = profile
        self._msp_id = msp_id
        self._network = network

    def update(self) -> int:
        """Verify and index every block that the own peer has by now; return the number of the last one.

        Raises:
            BlockRefused: a block does not hold; those before it are indexed.
            IndexFault: INDEX_MOVED, another program fills the same index.
            LedgerUnreachable: the peer gave no answer.
        """
        anchor = self._profile.kept_anchor(self._profile.organization(self._msp_id).name)
        follower = IndexFollower(self._engine, self._profile.chaincode, anchor)
        return follower.follow(own_peer(f"{self._msp_id}'s peer", self._network)).next_block - 1
