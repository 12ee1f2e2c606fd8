"""Fabric's Gateway service of one organization: evaluate, endorse, submit, commit status, chaincode events.

Source: fabric-behaviour §3.3 (`internal/pkg/gateway`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

from fabric_embedded import acl
from fabric_embedded.engine import Engine
from fabric_embedded.errors import AccessDenied
from fabric_embedded.gateway.endorsement import collect_endorsements, unknown_channel
from fabric_embedded.gateway.endorsers import Endorser
from fabric_embedded.gateway.events import ChaincodeEventReader
from fabric_embedded.gateway.planning import KnownPlans
from fabric_embedded.gateway.requests import (
    AskedProposal,
    invalid,
    read_endorsement,
    read_evaluation,
    read_inner,
)
from fabric_embedded.metrics import count_broadcast
from fabric_embedded.services.handlers import (
    ConcurrencyLimit,
    Service,
    ServiceError,
    server_stream,
    unary,
)
from fabric_embedded.services.status import StatusCode
from fabric_protocol.policies import SignedData

_SERVICE = "gateway.Gateway"
# Fabric's default is 500; waiting for a commit and every open event stream hold a place each.
_CONCURRENCY = 2500
_SUCCESS = 200
_NO_CHANNEL = "Invalid channel ID name during check policy on signed data. Name must be different from nil."


class GatewayService:
    """The Gateway of one organization.

    Parameters:
        engine: the channel.
        msp_id: whose gateway this is.
        addresses: host:port of every organization's endpoint, by MSP id.
        orderer: host:port of the ordering endpoint.
    """

    def __init__(self, engine: Engine, msp_id: str, addresses: Mapping[str, str], orderer: str) -> None:
        self._engine = engine
        self._msp_id = msp_id
        self._orderer = orderer
        self._plans = KnownPlans()
        self._endorsers = {
            other: Endorser(peer, addresses[other], is_local=other == msp_id)
            for other, peer in engine.peers.items()
        }

    def handler(self) -> Service:
        """The service for a gRPC server."""
        limit = ConcurrencyLimit(_SERVICE, _CONCURRENCY)
        methods = {
            "Evaluate": unary(limit, gateway_pb2.EvaluateRequest, self.evaluate, "Evaluate"),
            "Endorse": unary(limit, gateway_pb2.EndorseRequest, self.endorse, "Endorse"),
            "Submit": unary(limit, gateway_pb2.SubmitRequest, self.submit, "Submit"),
            "CommitStatus": unary(
                limit, gateway_pb2.SignedCommitStatusRequest, self.commit_status, "CommitStatus"
            ),
            "ChaincodeEvents": server_stream(
                limit, gateway_pb2.SignedChaincodeEventsRequest, self.chaincode_events, "ChaincodeEvents"
            ),
        }
        return Service(_SERVICE, methods)

    async def evaluate(self, request: Any) -> Any:
        """Run a proposal on one peer and answer with the chaincode's response."""
        asked = read_evaluation(request.proposed_transaction)
        if asked.channel_id != self._engine.channel_id:
            message = f"could not get last config for channel {asked.channel_id}"
            raise ServiceError(
                StatusCode.UNAVAILABLE,
                f"failed to get config for channel [{asked.channel_id}]: {message}",
            )
        wanted = set(request.target_organizations)
        candidates = self._ordered(asked.chaincode, wanted)
        if asked.has_transient and not wanted:
            candidates = [endorser for endorser in candidates if endorser.is_local]
            if not candidates:
                message = (
                    "no endorsers found in the gateway's organization; retry specifying target "
                    "organization(s) to protect transient data: "
                )
                message += _no_peers(asked)
                raise ServiceError(StatusCode.FAILED_PRECONDITION, message)
        if not candidates:
            message = (
                f"no peers available to evaluate chaincode {asked.chaincode} in channel {asked.channel_id}"
            )
            raise ServiceError(StatusCode.FAILED_PRECONDITION, message)
        return await _evaluate_on(candidates, asked.signed)

    async def endorse(self, request: Any) -> Any:
        """Collect endorsements; answers with a transaction that the client has still to sign."""
        asked = read_endorsement(request.proposed_transaction)
        if asked.channel_id != self._engine.channel_id:
            raise unknown_channel(asked, tuple(request.endorsing_organizations))
        envelope = await collect_endorsements(
            self._engine,
            self._endorsers,
            self._msp_id,
            asked,
            tuple(request.endorsing_organizations),
            self._plans,
        )
        return gateway_pb2.EndorseResponse(prepared_transaction=envelope)

    async def submit(self, request: Any) -> Any:
        """Hand a signed transaction to the orderer."""
        envelope = request.prepared_transaction
        if not request.HasField("prepared_transaction"):
            raise invalid("a prepared transaction is required")
        if not envelope.signature:
            raise invalid("prepared transaction must be signed")
        if request.channel_id != self._engine.channel_id:
            raise _unknown_channel(StatusCode.FAILED_PRECONDITION, request.channel_id)
        status, info = await self._engine.broadcast(envelope)
        count_broadcast(status)
        if status == _SUCCESS:
            return gateway_pb2.SubmitResponse()
        message = f"received unsuccessful response from orderer: status={_status_name(status)}, info={info}"
        if 400 <= status < 500:
            raise ServiceError(StatusCode.ABORTED, message)
        first = self._engine.topology.organizations[0].msp_id
        failure = Endorser(self._engine.peers[first], self._orderer, is_local=False).detail(message)
        raise ServiceError(
            StatusCode.UNAVAILABLE, "no orderers could successfully process transaction", (failure,)
        )

    async def commit_status(self, signed: Any) -> Any:
        """Wait for a transaction and answer with its validation code."""
        if not signed.request:
            raise invalid("a commit status request is required")
        request = read_inner(gateway_pb2.CommitStatusRequest, signed.request, "status request")
        if not request.identity:
            raise invalid("no identity provided")
        if not request.channel_id:
            raise invalid("no channel ID provided")
        if not request.transaction_id:
            raise invalid("transaction ID should not be empty")
        self._check(acl.COMMIT_STATUS, request.channel_id, request.identity, signed)
        status = await self._engine.ledger.wait_for_transaction(request.transaction_id)
        return gateway_pb2.CommitStatusResponse(result=status.code, block_number=status.block_number)

    async def chaincode_events(self, signed: Any) -> Any:
        """Stream a chaincode's events, block by block, until the client goes away."""
        if not signed.request:
            raise invalid("a chaincode events request is required")
        request = read_inner(gateway_pb2.ChaincodeEventsRequest, signed.request, "chaincode events request")
        self._check(acl.CHAINCODE_EVENTS, request.channel_id, request.identity, signed)
        async for response in ChaincodeEventReader(self._engine.ledger, request).responses():
            yield response

    def _check(self, resource: str, channel_id: str, identity: bytes, signed: Any) -> None:
        if channel_id != self._engine.channel_id:
            message = (
                f"Failed to get policy manager for channel [{channel_id}]" if channel_id else _NO_CHANNEL
            )
            raise ServiceError(StatusCode.PERMISSION_DENIED, message)
        try:
            acl.check_access(
                self._engine.config, resource, SignedData(signed.request, identity, signed.signature)
            )
        except AccessDenied as refusal:
            raise ServiceError(StatusCode.PERMISSION_DENIED, refusal.message) from refusal

    def _ordered(self, chaincode: str, wanted: set[str]) -> list[Endorser]:
        """Peers that serve a chaincode, this organization's first; all have the same height here."""
        chosen = [
            endorser
            for msp_id, endorser in self._endorsers.items()
            if (not wanted or msp_id in wanted) and endorser.peer.serves(chaincode)
        ]
        return sorted(chosen, key=lambda endorser: not endorser.is_local)


async def _evaluate_on(candidates: list[Endorser], signed: Any) -> Any:
    failures = []
    status = StatusCode.UNAVAILABLE
    for endorser in candidates:
        response, failure = await endorser.process(signed, endorses=False)
        if failure is None:
            return gateway_pb2.EvaluateResponse(result=response.response)
        failures.append(endorser.detail(failure.message))
        status = failure.status
        if not failure.retry:
            message = f"evaluate call to endorser returned error: {failure.message}"
            raise ServiceError(status, message, tuple(failures))
    message = "failed to evaluate transaction, see attached details for more info"
    raise ServiceError(status, message, tuple(failures))


def _no_peers(asked: AskedProposal) -> str:
    return f"no peers available to evaluate chaincode {asked.chaincode} in channel {asked.channel_id}"


def _unknown_channel(status: StatusCode, channel_id: str) -> ServiceError:
    return ServiceError(
        status,
        f"failed to get config for channel [{channel_id}]: could not get last config for channel "
        f"{channel_id}",
    )


def _status_name(status: int) -> str:
    try:
        return str(common_pb2.Status.Name(status))
    except ValueError:
        return str(status)
