"""Fabric's Endorser service of one organization's peer (fabric-behaviour §3.2)."""

from __future__ import annotations

from typing import Any

import grpc
from fabric_protos.peer import proposal_pb2

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.peer import Peer
from fabric_embedded.services.handlers import ConcurrencyLimit, ServiceError, service, unary

_SERVICE = "protos.Endorser"
_CONCURRENCY = 2500


class EndorserService:
    """Hands proposals to one peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def handler(self) -> grpc.GenericRpcHandler:
        """The service for a gRPC server."""
        limit = ConcurrencyLimit(_SERVICE, _CONCURRENCY)
        return service(_SERVICE, {"ProcessProposal": unary(limit, proposal_pb2.SignedProposal, self.process)})

    async def process(self, signed: Any) -> Any:
        """Endorse a proposal; refusals come without a status code of their own, as in Fabric."""
        try:
            return await self._peer.process_proposal(signed)
        except PeerRefusal as refusal:
            raise ServiceError(grpc.StatusCode.UNKNOWN, refusal.message) from refusal
