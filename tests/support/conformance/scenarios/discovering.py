"""Discovery: what it answers to every query, and what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.discovery import protocol_pb2, protocol_pb2_grpc
from fabric_protos.gossip import message_pb2
from fabric_protos.msp import identities_pb2, msp_config_pb2
from fabric_protos.peer import proposal_response_pb2
from support.conformance.bench import Bench
from support.conformance.connections import SECONDS
from support.conformance.engines import ALPHA, BETA, CHAINCODE, CHANNEL

_CONFIG = protocol_pb2.ConfigQuery()
_ADMIN = f"{ALPHA} admin"


def _interest(*calls: Mapping[str, Any]) -> Any:
    return proposal_response_pb2.ChaincodeInterest(
        chaincodes=[proposal_response_pb2.ChaincodeCall(**call) for call in calls]
    )


def _endorsers(*interests: Any, channel: str = CHANNEL) -> Any:
    return protocol_pb2.Query(channel=channel, cc_query=protocol_pb2.ChaincodeQuery(interests=interests))


def _peers(interest: Any = None, channel: str = CHANNEL) -> Any:
    query = protocol_pb2.PeerMembershipQuery(filter=interest)
    return protocol_pb2.Query(channel=channel, peer_query=query)


_PROBE = {"name": CHAINCODE}
_OWN = {"name": CHAINCODE, "collection_names": [f"own-{ALPHA}"]}
_SHARED = {"name": CHAINCODE, "collection_names": ["shared"]}

_QUERIES: dict[str, list[Any]] = {
    "no query": [],
    "an empty query": [protocol_pb2.Query()],
    "an empty query of a channel": [protocol_pb2.Query(channel=CHANNEL)],
    "configuration": [protocol_pb2.Query(channel=CHANNEL, config_query=_CONFIG)],
    "configuration without a channel": [protocol_pb2.Query(config_query=_CONFIG)],
    "configuration of another channel": [protocol_pb2.Query(channel="elsewhere", config_query=_CONFIG)],
    "local peers": [protocol_pb2.Query(local_peers=protocol_pb2.LocalPeerQuery())],
    "local peers of a channel": [
        protocol_pb2.Query(channel=CHANNEL, local_peers=protocol_pb2.LocalPeerQuery())
    ],
    "peers": [_peers()],
    "peers without a channel": [_peers(channel="")],
    "peers with a chaincode": [_peers(_interest(_PROBE))],
    "peers with a collection": [_peers(_interest(_OWN))],
    "peers with an unknown chaincode": [_peers(_interest({"name": "nowhere"}))],
    "peers with an unknown collection": [
        _peers(_interest({"name": CHAINCODE, "collection_names": ["none"]}))
    ],
    "peers with no chaincode": [_peers(_interest())],
    "peers with an empty name": [_peers(_interest({}))],
    "peers with two": [_peers(_interest(_PROBE, {"name": "nowhere"}))],
    "endorsers": [_endorsers(_interest(_PROBE))],
    "endorsers of nothing": [_endorsers()],
    "endorsers of no chaincode": [_endorsers(_interest())],
    "endorsers of an empty name": [_endorsers(_interest({}))],
    "endorsers of an unknown chaincode": [_endorsers(_interest({"name": "nowhere"}))],
    "endorsers of a system chaincode": [_endorsers(_interest({"name": "qscc"}))],
    "endorsers of the lifecycle": [_endorsers(_interest({"name": "_lifecycle"}))],
    "endorsers of a collection": [_endorsers(_interest(_OWN))],
    "endorsers of an open collection": [_endorsers(_interest(_SHARED))],
    "endorsers of an unknown collection": [
        _endorsers(_interest({"name": CHAINCODE, "collection_names": ["none"]}))
    ],
    "endorsers of an implicit collection": [
        _endorsers(_interest({"name": CHAINCODE, "collection_names": [f"_implicit_org_{BETA}"]}))
    ],
    "endorsers without reads": [_endorsers(_interest({**_OWN, "no_private_reads": True}))],
    "endorsers of a collection alone": [_endorsers(_interest({**_OWN, "disregard_namespace_policy": True}))],
    "endorsers of nothing at all": [_endorsers(_interest({**_PROBE, "disregard_namespace_policy": True}))],
    "endorsers of two": [_endorsers(_interest(_PROBE), _interest(_OWN))],
    "endorsers of the same twice": [_endorsers(_interest(_PROBE, _PROBE))],
    "endorsers of one of two unknown": [_endorsers(_interest(_PROBE), _interest({"name": "nowhere"}))],
    "endorsers without a channel": [_endorsers(_interest(_PROBE), channel="")],
    "endorsers of another channel": [_endorsers(_interest(_PROBE), channel="elsewhere")],
    "several": [_peers(), protocol_pb2.Query(), protocol_pb2.Query(channel=CHANNEL, config_query=_CONFIG)],
}


def discovery_queries(bench: Bench) -> None:
    """Every query, by a client and by an administrator."""
    bench.commit("known", [["put", "discovery/k", "1"]])
    for who in (ALPHA, _ADMIN, BETA):
        for label, queries in _QUERIES.items():
            bench.observe(f"{label}, {who}", _ask(bench, who, queries))


def discovery_requests(bench: Bench) -> None:
    """Requests that lack something, or are signed by somebody else."""
    client = bench.clients[ALPHA]
    query = protocol_pb2.Query(channel=CHANNEL, config_query=_CONFIG)
    good = _request(bench, ALPHA, [query])
    for label, change in {
        "as it is": {},
        "no authentication": {"authentication": None},
        "no identity": {"client_identity": b""},
        "garbage identity": {"client_identity": b"\xff"},
        "another's identity": {"client_identity": bench.clients[BETA].identity.serialized},
        "no hash": {"client_tls_cert_hash": b""},
        "short hash": {"client_tls_cert_hash": b"x"},
    }.items():
        request = protocol_pb2.Request.FromString(good)
        for name, value in change.items():
            if value is None:
                request.ClearField(name)
            else:
                setattr(request.authentication, name, value)
        data = request.SerializeToString()
        signed = protocol_pb2.SignedRequest(payload=data, signature=client.sign(data))
        bench.observe(label, _answer(bench, ALPHA, signed))
    signed = protocol_pb2.SignedRequest(payload=good, signature=client.sign(good))
    bench.observe("over another connection", _answer(bench, BETA, signed))
    plain = protocol_pb2_grpc.DiscoveryStub(bench.connections.peer(ALPHA))
    bench.observe("without a certificate", _asked(bench, plain, signed))
    bench.observe("not signed", _answer(bench, ALPHA, protocol_pb2.SignedRequest(payload=good)))
    bench.observe("nothing", _answer(bench, ALPHA, protocol_pb2.SignedRequest()))
    garbage = protocol_pb2.SignedRequest(payload=b"\xff\xff", signature=client.sign(b"\xff\xff"))
    bench.observe("garbage", _answer(bench, ALPHA, garbage))


def _request(bench: Bench, who: str, queries: list[Any]) -> bytes:
    client = bench.clients[who]
    certificate = x509.load_pem_x509_certificate(client.identity.certificate_pem)
    request = protocol_pb2.Request(queries=queries)
    request.authentication.client_identity = client.identity.serialized
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    request.authentication.client_tls_cert_hash = digest
    data: bytes = request.SerializeToString()
    return data


def _ask(bench: Bench, who: str, queries: list[Any]) -> Any:
    data = _request(bench, who, queries)
    signed = protocol_pb2.SignedRequest(payload=data, signature=bench.clients[who].sign(data))
    return _answer(bench, who, signed)


def _answer(bench: Bench, who: str, signed: Any) -> Any:
    """At alpha's peer, with the client's own certificate for TLS too."""
    return _asked(bench, bench.connections.discovery(ALPHA, bench.clients[who]), signed)


def _asked(bench: Bench, discovery: Any, signed: Any) -> Any:
    try:
        answer = discovery.Discover(signed, timeout=SECONDS)
    except grpc.RpcError as error:
        return bench.refused(error)
    return [_rendered(bench, result) for result in answer.results]


def _rendered(bench: Bench, result: Any) -> Any:
    kind = result.WhichOneof("result")
    if kind == "error":
        return ["error", bench.names.text(result.error.content)]
    if kind == "config_result":
        return _configuration(result.config_result)
    if kind == "members":
        return {
            msp_id: sorted(_peer(peer) for peer in listed.peers)
            for msp_id, listed in sorted(result.members.peers_by_org.items())
        }
    return [_descriptor(item) for item in result.cc_query_res.content]


def _configuration(found: Any) -> Any:
    msps = {
        msp_id: [
            field.name if not isinstance(getattr(config, field.name), bytes) else [field.name]
            for field, _ in config.ListFields()
        ]
        for msp_id, config in sorted(found.msps.items())
    }
    assert all(isinstance(config, msp_config_pb2.FabricMSPConfig) for config in found.msps.values())
    orderers = {
        msp_id: [[item.host, bool(item.port)] for item in listed.endpoint]
        for msp_id, listed in sorted(found.orderers.items())
    }
    return {"msps": msps, "orderers": orderers}


def _peer(peer: Any) -> Any:
    owner = identities_pb2.SerializedIdentity.FromString(peer.identity).mspid
    seen: list[Any] = [owner]
    for name in ("membership_info", "state_info"):
        envelope = getattr(peer, name)
        if not peer.HasField(name):
            seen.append(f"no {name}")
            continue
        message = message_pb2.GossipMessage.FromString(envelope.payload)
        kind = message.WhichOneof("content")
        seen.append(
            [
                kind,
                message.nonce,
                message_pb2.GossipMessage.Tag.Name(message.tag),
                bool(message.channel),
                bool(envelope.signature),
                envelope.HasField("secret_envelope"),
            ]
        )
        if kind == "alive_msg":
            member = message.alive_msg.membership
            seen.append(
                [
                    bool(member.endpoint),
                    bool(member.metadata),
                    bool(member.pki_id),
                    bool(message.alive_msg.identity),
                ]
            )
        if kind == "state_info":
            properties = message.state_info.properties
            chaincodes = sorted(
                [item.name, item.version, bool(item.metadata)] for item in properties.chaincodes
            )
            seen.append(
                [
                    [item for item in chaincodes if item[0] in (CHAINCODE, "_lifecycle")],
                    properties.left_channel,
                    bool(message.state_info.pki_id),
                    bool(message.state_info.channel_MAC),
                ]
            )
    return seen


def _descriptor(found: Any) -> Any:
    owners = {
        group: sorted(
            identities_pb2.SerializedIdentity.FromString(peer.identity).mspid for peer in listed.peers
        )
        for group, listed in found.endorsers_by_groups.items()
    }
    layouts = sorted(
        sorted([owners[group], quantity] for group, quantity in layout.quantities_by_group.items())
        for layout in found.layouts
    )
    return [found.chaincode, sorted(owners.values()), layouts]


SCENARIOS = (discovery_queries, discovery_requests)
