"""Asking peers, as a Gateway does: one result, or how Fabric reads the failure.

Source: fabric-behaviour §3.3 (`internal/pkg/gateway/apiutils.go · responseStatus`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.metrics import timed_proposal
from fabric_embedded.peer import Peer
from fabric_embedded.services.handlers import NodeFailure
from fabric_embedded.services.status import StatusCode

_OK, _ERROR_THRESHOLD, _ERROR = 200, 400, 500


@dataclass(frozen=True)
class EndorserFailure:
    """How an endorsement failed.

    Parameters:
        status: gRPC status code that Evaluate answers with.
        message: text.
        retry: whether Evaluate asks another peer.
    """

    status: StatusCode
    message: str
    retry: bool


@dataclass(frozen=True)
class Endorser:
    """One organization's peer, seen from the gateway of an organization.

    Parameters:
        peer: the peer.
        address: host:port of its endpoint, for details.
        is_local: whether it is the gateway's own peer: a remote one's refusals read differently.
    """

    peer: Peer
    address: str
    is_local: bool

    @property
    def msp_id(self) -> str:
        """MSP id of the peer's organization."""
        return self.peer.msp_id

    async def process(self, signed: Any, *, endorses: bool = True) -> tuple[Any, EndorserFailure | None]:
        """Ask the peer; its `ProposalResponse` (None without one), and the failure if it is one.

        Parameters:
            signed: the proposal.
            endorses: False where only the chaincode's response is wanted.
        """
        try:
            with timed_proposal(self.msp_id) as timer:
                response = await self.peer.process_proposal(signed, endorses=endorses)
                failure = read_failure(response)
                timer.is_success = failure is None
        except PeerRefusal as refusal:
            if not self.is_local:
                # Fabric's gateway reaches another peer over gRPC and hands on the text of Go's gRPC error.
                text = f"rpc error: code = Unknown desc = {refusal.message}"
                return None, EndorserFailure(StatusCode.UNAVAILABLE, text, retry=True)
            if refusal.is_filter:
                return None, EndorserFailure(StatusCode.UNAVAILABLE, refusal.message, retry=True)
            return None, EndorserFailure(StatusCode.FAILED_PRECONDITION, refusal.message, retry=False)
        return response, failure

    def detail(self, message: str) -> NodeFailure:
        """What a status says of this peer's failure."""
        return NodeFailure(self.address, self.msp_id, message)


def read_failure(response: Any) -> EndorserFailure | None:
    """Why a `ProposalResponse` counts as failed; None when it does not."""
    status, text = response.response.status, response.response.message
    if status == _ERROR and not response.payload:
        return EndorserFailure(StatusCode.ABORTED, text, retry=True)
    if status < _OK or status >= _ERROR_THRESHOLD:
        return EndorserFailure(StatusCode.UNKNOWN, f"chaincode response {status}, {text}", retry=False)
    return None
