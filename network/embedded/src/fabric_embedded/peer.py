"""One organization's peer: endorses with its own key, after its own run of its own chaincode service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fabric_protos.peer import proposal_pb2, proposal_response_pb2

from fabric_embedded.endorsement.admission import (
    AdmittedProposal,
    ProposalGate,
    UnknownChannel,
    admit_without_channel,
)
from fabric_embedded.endorsement.chaincodes import InstalledChaincodes, definition_reader
from fabric_embedded.endorsement.filters import check_filters, check_unread
from fabric_embedded.endorsement.private_sets import PendingWriter, check_dissemination, pending_sets
from fabric_embedded.endorsement.runs import ChaincodeRunner, RunResult, SimulationFailed
from fabric_embedded.errors import ChaincodeError, LedgerError, PeerRefusal
from fabric_protocol.definitions import SYSTEM_CHAINCODES
from fabric_protocol.endorsements import (
    LOWEST_ERROR_STATUS,
    endorsement_digest,
    event_bytes,
    response_payload,
)
from fabric_protocol.errors import GO_DECODING, PolicyError
from fabric_protocol.interest import interest_message

if TYPE_CHECKING:
    from fabric_embedded.storage.snapshots import CurrentSnapshot, Snapshot
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity
    from fabric_protocol.known_sets import KnownSets
    from fabric_protocol.signatures import Signer

_ERROR = 500


@dataclass(frozen=True)
class PeerMaterial:
    """Who a peer is: its organization's name and MSP id, its identity, and its key as a signer."""

    organization: str
    msp_id: str
    identity: Identity
    signer: Signer


class Peer:
    """The endorsing side of one organization. Event loop only.

    Parameters:
        material: who it is.
        config: the channel's configuration in force.
        members: every organization's peer identity, by MSP id.
        gate: checks proposals, for all peers.
        runner: runs its chaincode.
        installed: its chaincodes.
        snapshots: of the ledger.
        pending: keeps what it endorses privately.
        known_sets: where the committer finds what was endorsed.
        clock: its own time.
    """

    def __init__(
        self,
        material: PeerMaterial,
        *,
        config: Callable[[], ChannelConfig],
        members: Mapping[str, Identity],
        gate: ProposalGate,
        runner: ChaincodeRunner,
        installed: InstalledChaincodes,
        snapshots: CurrentSnapshot,
        pending: PendingWriter,
        known_sets: KnownSets,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.msp_id = material.msp_id
        self.organization = material.organization
        self.identity = material.identity
        self._signer = material.signer
        self._config = config
        self._members = members
        self._gate = gate
        self._runner = runner
        self._installed = installed
        self._snapshots = snapshots
        self._pending = pending
        self._known_sets = known_sets
        self._clock = clock

    async def process_proposal(
        self, signed: proposal_pb2.SignedProposal, *, through_filters: bool = True, endorses: bool = True
    ) -> proposal_response_pb2.ProposalResponse:
        """Check, simulate and endorse a proposal (`core/endorser/endorser.go · ProcessProposal`).

        Parameters:
            signed: the client's signed proposal.
            through_filters: whether expiry and time window filters come first, as they do on the wire.
            endorses: whether to sign what the chaincode answers; an evaluation needs the response alone.

        Raises:
            PeerRefusal: where Fabric answers with a gRPC error.
        """
        config = self._config()
        try:
            proposal = self._gate.read(signed, config)
        except (UnknownChannel, PeerRefusal) as error:
            if through_filters:
                check_unread(signed.proposal_bytes, config, self._clock())
            if isinstance(error, UnknownChannel):
                return _refused(str(error))
            raise
        if through_filters:
            check_filters(proposal, config, self._clock())
        if proposal.channel_id:
            admitted = self._gate.admit(signed, proposal, config)
        else:
            admitted = admit_without_channel(signed, proposal, config, self.msp_id)
        try:
            snapshot = await self._snapshots.acquire()
            try:
                result = await self._runner.run(admitted, snapshot, config)
                return await self._answer(admitted, result, snapshot, config, endorses)
            finally:
                self._snapshots.release(snapshot)
        except (SimulationFailed, LedgerError) as failure:
            return _refused(str(failure))

    def serves(self, chaincode: str) -> bool:
        """Whether this peer advertises the chaincode: defined, approved by its organization, installed.

        Every peer serves the system chaincodes.
        """
        if chaincode in SYSTEM_CHAINCODES:
            return True
        snapshot = self._snapshots.peek()
        if snapshot is None:
            return self._installed.was_found(chaincode)
        try:
            self._installed.link(chaincode, snapshot, definition_reader(snapshot.state, chaincode))
        except ChaincodeError:
            return False
        return True

    @property
    def is_network_service_connected(self) -> bool:
        """Whether the organization's chaincode service that the network runs is connected and ready."""
        return self._installed.is_network_service_connected

    def is_installed_by_administrator(self, package_id: str) -> bool:
        """Whether an administrator of the organization installed this package."""
        return self._installed.is_installed_by_administrator(package_id)

    def connect(self) -> None:
        """Dial the chaincode services that the organization needs now, and hang up on the others."""
        snapshot = self._snapshots.peek()
        if snapshot is not None:
            self._installed.connect(snapshot)

    async def disconnect(self) -> None:
        """Hang up on the services of installed packages."""
        await self._installed.close()

    async def _answer(
        self,
        admitted: AdmittedProposal,
        result: RunResult,
        snapshot: Snapshot,
        config: ChannelConfig,
        endorses: bool,
    ) -> proposal_response_pb2.ProposalResponse:
        response = result.response
        if LOWEST_ERROR_STATUS <= response.status < _ERROR:
            return proposal_response_pb2.ProposalResponse(response=response)
        is_endorsed = response.status < LOWEST_ERROR_STATUS
        if is_endorsed and not admitted.proposal.channel_id:
            return proposal_response_pb2.ProposalResponse(response=response)
        interest = _interest(result)
        if is_endorsed:
            await self._keep_private(admitted, result, snapshot, config)
            if not endorses:
                return proposal_response_pb2.ProposalResponse(response=response)
        answer = proposal_response_pb2.ProposalResponse(
            version=1,
            response=response,
            payload=_payload(admitted, result, with_event=is_endorsed),
            interest=interest,
        )
        if is_endorsed:
            answer.endorsement.CopyFrom(self._endorse(answer.payload, config))
            results = result.results
            self._known_sets.remember(admitted.proposal.transaction_id, results.public, results.rwset)
        return answer

    def _endorse(self, payload: bytes, config: ChannelConfig) -> proposal_response_pb2.Endorsement:
        serialized = self.identity.serialized
        digest = endorsement_digest(payload, serialized)
        signature = self._signer(digest)
        # The committer of this engine need not check what was signed here a moment ago.
        config.msps.signatures.made(self.identity, signature, digest)
        return proposal_response_pb2.Endorsement(endorser=serialized, signature=signature)

    async def _keep_private(
        self, admitted: AdmittedProposal, result: RunResult, snapshot: Snapshot, config: ChannelConfig
    ) -> None:
        private = result.results.private_rwset
        if private is None:
            return
        check_dissemination(
            private, msp_id=self.msp_id, peers=self._members, state=snapshot.state, config=config
        )
        try:
            await self._pending.add(pending_sets(admitted.proposal.transaction_id, private), snapshot.height)
        except LedgerError as error:
            raise SimulationFailed(f"error in simulation: {error.message}") from error


def _interest(result: RunResult) -> object:
    """What the simulation touched; a chaincode may have set any bytes as a key's policy."""
    try:
        return interest_message(result.results.interest)
    except PolicyError as error:
        raise SimulationFailed(
            f"error in simulation: error unmarshalling SignaturePolicyEnvelope: {GO_DECODING}"
        ) from error


def _payload(admitted: AdmittedProposal, result: RunResult, *, with_event: bool) -> bytes:
    proposal = admitted.proposal
    event = b""
    if with_event and result.has_event:
        event = event_bytes(
            chaincode=proposal.chaincode,
            transaction_id=proposal.transaction_id,
            name=result.event_name,
            payload=result.event_payload,
        )
    return response_payload(
        proposal_hash=admitted.hash,
        results=result.results.public,
        event=event,
        response=result.response,
        chaincode=proposal.chaincode,
        version=result.version,
    )


def _refused(message: str) -> proposal_response_pb2.ProposalResponse:
    return proposal_response_pb2.ProposalResponse(
        response=proposal_response_pb2.Response(status=_ERROR, message=message)
    )
