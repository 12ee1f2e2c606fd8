"""One organization's peer: endorses with its own key, after its own run of its own chaincode service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabric_protocol.identities import Identity
    from fabric_protos.peer import proposal_pb2, proposal_response_pb2


class Peer:
    """The endorsing side of one organization."""

    msp_id: str
    organization: str
    identity: Identity

    async def process_proposal(
        self, signed: proposal_pb2.SignedProposal, *, through_filters: bool = True
    ) -> proposal_response_pb2.ProposalResponse:
        """Check, simulate and endorse a proposal (`core/endorser/endorser.go · ProcessProposal`).

        Parameters:
            signed: the client's signed proposal.
            through_filters: whether expiry and time window filters come first, as they do on the wire.

        Raises:
            PeerRefusal: where Fabric answers with a gRPC error.
        """
        raise NotImplementedError

    def serves(self, chaincode: str) -> bool:
        """Whether this peer advertises the chaincode: defined, approved by its organization, installed."""
        raise NotImplementedError

    def is_connected(self, chaincode: str) -> bool:
        """Whether the organization's service of this chaincode is connected and ready."""
        raise NotImplementedError
