"""The verified trail as one member has it: an index of its own that follows its organization's peer."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy import Engine

from consentry.index import IndexFollower, RowTrail, SubjectTrail
from consentry.index.lineage import accesses_of_versions
from consentry.index.row_manifests import find_row, manifest_of
from consentry.own_subjects import open_register, own_commitment
from consentry.profile import NetworkProfile, OrganizationProfile
from consentry.recorded_trail import RecordedTrail, RecordRead
from consentry.subjects import SubjectRegister
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

    def subject_of(self, pseudonym: str) -> SubjectTrail:
        """What is on the trail of a subject of the own organization, found by its pseudonym.

        Raises:
            InputRejected: SUBJECT_UNKNOWN; only the custodian of the data can resolve a pseudonym.
            IndexFault: SUBJECT_NOT_INDEXED.
        """
        with self._register() as register:
            commitment = own_commitment(register, pseudonym, self._organization.name)
            return self.subject(commitment, manifest_of(register) if register is not None else None)

    def row(self, version_id: str, position: int) -> RowTrail:
        """Who tried to access a row of the own organization, in whichever version of its dataset.

        Args:
            version_id: a version that holds it.
            position: which of its rows, from 0 in the order in which they were registered.

        Raises:
            InputRejected: ROW_UNKNOWN; only the custodian of a dataset knows its rows.
        """
        with self._register() as register:
            consent_id, versions = find_row(register, version_id, position)
        last = self._last_block()
        with self.snapshot() as connection:
            found = accesses_of_versions(connection, versions)
        self._note("dataset", versions, len(found), last)
        return RowTrail(consent_id, versions, found)

    def update(self) -> int:
        """Verify and index every block that the own peer has by now; return the number of the last one.

        Raises:
            BlockRefused: a block does not hold; those before it are indexed.
            LedgerUnreachable: the peer gave no answer.
        """
        anchor = self._profile.kept_anchor(self._organization.name)
        follower = IndexFollower(self._engine, self._profile.chaincode, anchor)
        return follower.follow(own_peer(f"{self._msp_id}'s peer", self._network)).next_block - 1

    @property
    def _organization(self) -> OrganizationProfile:
        return self._profile.organization(self._msp_id)

    def _register(self) -> AbstractContextManager[SubjectRegister | None]:
        return open_register(self._profile.subject_register(self._organization.name))
