"""Fabric's discovery service of one organization's peer: signed requests with several queries.

Source: fabric-behaviour §9 (`discovery/service.go`). A request is not tied to the TLS connection that it came
by: Fabric 3.1.5's `NewService` forgets its setting for TLS, so that its peers look at no certificate's hash
(conformance scenario `discovery_requests`). Python's gRPC could not ask for one without demanding it of all.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Mapping
from typing import Any

from fabric_protos.discovery import protocol_pb2
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from fabric_embedded import acl
from fabric_embedded.discovery.channel_view import ChannelView, NoDescriptor
from fabric_embedded.discovery.gossip_messages import AdvertisedPeer
from fabric_embedded.engine import Engine
from fabric_embedded.errors import AccessDenied
from fabric_embedded.services.handlers import ConcurrencyLimit, Service, ServiceError, unary
from fabric_embedded.services.status import StatusCode
from fabric_protocol.errors import GO_DECODING, ProtocolError
from fabric_protocol.policies import SignedData
from fabric_protocol.signatures import verify

_SERVICE = "discovery.Discovery"
_CONCURRENCY = 2500
_WRITERS = "/Channel/Application/Writers"
_LOG = logging.getLogger(__name__)


class DiscoveryService:
    """Discovery at one organization's peer.

    Parameters:
        engine: the channel.
        msp_id: whose peer this is: its administrators may ask what concerns no channel.
        peers: every organization's peer, by MSP id.
    """

    def __init__(self, engine: Engine, msp_id: str, peers: Mapping[str, AdvertisedPeer]) -> None:
        self._engine = engine
        self._msp_id = msp_id
        self._peers = peers
        self._sequence = itertools.count(1)

    def handler(self) -> Service:
        """The service for a gRPC server."""
        limit = ConcurrencyLimit(_SERVICE, _CONCURRENCY)
        return Service(
            _SERVICE, {"Discover": unary(limit, protocol_pb2.SignedRequest, self.discover, "Discover")}
        )

    async def discover(self, signed: Any) -> Any:
        """Answer a `SignedRequest` with a result for each of its queries, in their order."""
        request = _read(signed)
        data = SignedData(signed.payload, request.authentication.client_identity, signed.signature)
        return protocol_pb2.Response(results=[self._answer(query, data) for query in request.queries])

    def _answer(self, query: Any, signed: SignedData) -> Any:
        if not self._is_eligible(query.channel, signed):
            return _failure("access denied")
        view = ChannelView(self._engine, self._peers, next(self._sequence), self._msp_id)
        kind = query.WhichOneof("query")
        if not query.channel:
            if kind == "local_peers":
                return protocol_pb2.QueryResult(members=view.members())
        elif kind == "config_query":
            return protocol_pb2.QueryResult(config_result=view.config())
        elif kind == "peer_query":
            return _members(view, query.peer_query.filter)
        elif kind == "cc_query":
            return _endorsers(view, query.cc_query)
        return _failure("unknown or missing request type")

    def _is_eligible(self, channel_id: str, signed: SignedData) -> bool:
        config = self._engine.config
        try:
            if channel_id:
                policy = config.policies.policy(_WRITERS)
                return channel_id == config.channel_id and policy.evaluate([signed])
            identity = config.msps.deserialize(signed.identity)
            acl.check_local_access(config, "discovery/LocalPeers", self._msp_id, identity)
            verify(identity.public_key, signed.signature, signed.data)
        except (ProtocolError, AccessDenied):
            return False
        return True


def _read(signed: Any) -> Any:
    try:
        request = protocol_pb2.Request.FromString(signed.payload)
    except DecodeError as error:
        raise _malformed(f"failed parsing request: {GO_DECODING}") from error
    if not request.HasField("authentication"):
        raise _malformed("access denied, no authentication info in request")
    if not request.authentication.client_identity:
        raise _malformed("access denied, client identity wasn't supplied")
    return request


def _malformed(message: str) -> ServiceError:
    return ServiceError(StatusCode.UNKNOWN, message)


def _members(view: ChannelView, interest: Any) -> Any:
    try:
        return protocol_pb2.QueryResult(members=view.members(view.authorized(interest)))
    except NoDescriptor as error:
        return _failure(str(error))


def _endorsers(view: ChannelView, query: Any) -> Any:
    fault = _fault(query.interests)
    if fault:
        return _failure(fault)
    result = protocol_pb2.ChaincodeQueryResult()
    for interest in query.interests:
        try:
            result.content.append(view.endorsers(interest))
        except NoDescriptor as error:
            _LOG.info("no endorsers discovered", extra={"reason": str(error)})
            return _failure(f"failed constructing descriptor for {_as_go_writes(interest)}")
    return protocol_pb2.QueryResult(cc_query_res=result)


def _fault(interests: Any) -> str:
    if not interests:
        return "chaincode query must have at least one chaincode interest"
    if not all(interest.chaincodes for interest in interests):
        return "chaincode interest must contain at least one chaincode"
    if not all(call.name for interest in interests for call in interest.chaincodes):
        return "chaincode name in interest cannot be empty"
    return ""


def _as_go_writes(message: Any) -> str:
    """Protobuf's text form on one line as Go's library writes it, e.g. chaincodes:{name:"basic"}."""
    text = text_format.MessageToString(message, as_one_line=True)
    return re.sub(r"(\w+) \{ ", r"\1:{", text).replace(" }", "}").replace(": ", ":")


def _failure(text: str) -> Any:
    return protocol_pb2.QueryResult(error=protocol_pb2.Error(content=text))
