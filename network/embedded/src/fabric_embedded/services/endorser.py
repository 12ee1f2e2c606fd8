"""Fabric's Endorser service of one organization's peer (fabric-behaviour §3.2)."""

from __future__ import annotations

from typing import Any

from fabric_protos.peer import proposal_pb2

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.metrics import timed_proposal
from fabric_embedded.peer import Peer
from fabric_embedded.services.handlers import ConcurrencyLimit, Service, ServiceError, unary
from fabric_embedded.services.status import StatusCode

_SERVICE = "protos.Endorser"
_CONCURRENCY = 2500


class EndorserService:
    """Hands proposals to one peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def handler(self) -> Service:
        """The service for a gRPC server."""
        limit = ConcurrencyLimit(_SERVICE, _CONCURRENCY)
        process = unary(limit, proposal_pb2.SignedProposal, self.process, "ProcessProposal")
        return Service(_SERVICE, {"ProcessProposal": process})

    async def process(self, signed: Any) -> Any:
        """Endorse a proposal; refusals come without a status code of their own, as in Fabric."""
        try:
            with timed_proposal(self._peer.msp_id) as timer:
                response = await self._peer.process_proposal(signed)
                timer.is_success = bool(response.endorsement.signature)
            return response
        except PeerRefusal as refusal:
            raise ServiceError(StatusCode.UNKNOWN, refusal.message) from refusal
