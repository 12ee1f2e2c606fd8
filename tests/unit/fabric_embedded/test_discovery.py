"""Discovery: who may ask, and what an organization's peer tells of the channel."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import pytest
from fabric_protos.discovery import protocol_pb2
from fabric_protos.gossip import message_pb2
from fabric_protos.peer import proposal_response_pb2
from support.fake_engine import FakeEngine
from support.sample_channel import CHAINCODE, CHANNEL, SampleLedger, members
from support.sample_organizations import Member

from fabric_embedded.discovery.gossip_messages import AdvertisedPeer
from fabric_embedded.discovery.service import DiscoveryService
from fabric_embedded.services.handlers import ServiceError
from fabric_embedded.services.status import StatusCode
from fabric_protocol.collections import Collection, collection_package
from fabric_protocol.policy_language import parse_policy
from fabric_protocol.signatures import key_signer, verify

pytestmark = pytest.mark.unit

ALPHA, BETA, GAMMA = "AlphaMSP", "BetaMSP", "GammaMSP"


@cache
def administrator(msp_id: str) -> Member:
    return members(msp_id).organization.member("admin", name="admin-1")


def collection(name: str, members_policy: str) -> Collection:
    return Collection(
        name=name,
        member_orgs_policy=parse_policy(members_policy),
        member_only_read=True,
        member_only_write=True,
        endorsement_policy=None,
    )


@pytest.fixture
def engine() -> FakeEngine:
    package = collection_package([collection("shared", "OR('AlphaMSP.member', 'BetaMSP.member')")])
    return FakeEngine(SampleLedger(collections=package.SerializeToString()))


@pytest.fixture
def discovery(engine: FakeEngine) -> DiscoveryService:
    peers = {
        msp_id: AdvertisedPeer(
            members(msp_id).peer.identity, key_signer(members(msp_id).peer.key), f"127.0.0.1:{number}", 17
        )
        for number, msp_id in enumerate((ALPHA, BETA, GAMMA), start=7051)
    }
    return DiscoveryService(engine, ALPHA, peers)  # type: ignore[arg-type]


def request(*queries: Any, member: Any = None, **authentication: Any) -> Any:
    """A signed request of Alpha's client, or of another member."""
    member = member or members(ALPHA).client
    asked = protocol_pb2.Request(queries=queries)
    asked.authentication.client_identity = authentication.get("identity", member.serialized)
    signed = member.signed(asked.SerializeToString())
    return protocol_pb2.SignedRequest(payload=signed.data, signature=signed.signature)


def interest(*calls: Any) -> Any:
    chaincodes = [call if not isinstance(call, str) else {"name": call} for call in calls]
    return proposal_response_pb2.ChaincodeInterest(chaincodes=chaincodes)


def endorsers(*interests: Any, channel: str = CHANNEL) -> Any:
    return protocol_pb2.Query(channel=channel, cc_query=protocol_pb2.ChaincodeQuery(interests=interests))


def peers(filter_by: Any = None, channel: str = CHANNEL) -> Any:
    query = protocol_pb2.PeerMembershipQuery()
    if filter_by is not None:
        query.filter.CopyFrom(filter_by)
    return protocol_pb2.Query(channel=channel, peer_query=query)


LOCAL = protocol_pb2.Query(local_peers=protocol_pb2.LocalPeerQuery())
CONFIG = protocol_pb2.Query(channel=CHANNEL, config_query=protocol_pb2.ConfigQuery())


async def answers(discovery: DiscoveryService, *queries: Any, **options: Any) -> list[Any]:
    return list((await discovery.discover(request(*queries, **options))).results)


async def error_of(discovery: DiscoveryService, query: Any, **options: Any) -> str:
    (result,) = await answers(discovery, query, **options)
    assert result.WhichOneof("result") == "error"
    return str(result.error.content)


def layouts(descriptor: Any) -> list[set[str]]:
    """Each layout as the MSP ids of its groups' peers."""
    owners = {group: _msp_of(listed.peers[0]) for group, listed in descriptor.endorsers_by_groups.items()}
    return [{owners[group] for group in layout.quantities_by_group} for layout in descriptor.layouts]


def _msp_of(peer: Any) -> str:
    return next(msp_id for msp_id in (ALPHA, BETA, GAMMA) if members(msp_id).peer.serialized == peer.identity)


async def test_peers_state_where_they_are_and_what_they_have(discovery: DiscoveryService) -> None:
    (result,) = await answers(discovery, peers())
    assert sorted(result.members.peers_by_org) == [ALPHA, BETA, GAMMA]
    (peer,) = result.members.peers_by_org[BETA].peers
    assert peer.identity == members(BETA).peer.serialized
    for envelope in (peer.membership_info, peer.state_info):
        verify(members(BETA).peer.identity.public_key, envelope.signature, envelope.payload)
    alive = message_pb2.GossipMessage.FromString(peer.membership_info.payload)
    assert alive.tag == message_pb2.GossipMessage.EMPTY
    assert alive.alive_msg.membership.endpoint == "127.0.0.1:7052"
    state = message_pb2.GossipMessage.FromString(peer.state_info.payload)
    assert state.tag == message_pb2.GossipMessage.CHAN_OR_ORG
    assert [(item.name, item.version) for item in state.state_info.properties.chaincodes] == [
        ("_lifecycle", "1"),
        (CHAINCODE, "1"),
    ]
    assert not state.state_info.properties.left_channel
    mac = hashlib.sha256(state.state_info.pki_id + CHANNEL.encode()).digest()
    assert state.state_info.channel_MAC == mac
    assert state.state_info.timestamp.inc_num == 17


async def test_later_statements_have_higher_numbers(discovery: DiscoveryService) -> None:
    numbers = []
    for result in await answers(discovery, peers(), peers()):
        envelope = result.members.peers_by_org[ALPHA].peers[0].state_info
        numbers.append(message_pb2.GossipMessage.FromString(envelope.payload).state_info.timestamp.seq_num)
    assert numbers == sorted(set(numbers))


async def test_peers_are_chosen_by_chaincode_and_collection(
    discovery: DiscoveryService, engine: FakeEngine
) -> None:
    (result,) = await answers(discovery, peers(interest({"name": CHAINCODE, "collection_names": ["shared"]})))
    assert sorted(n for n, listed in result.members.peers_by_org.items() if listed.peers) == [ALPHA, BETA]
    engine.peers[ALPHA].serving = False
    (result,) = await answers(discovery, peers(interest(CHAINCODE)))
    assert sorted(n for n, listed in result.members.peers_by_org.items() if listed.peers) == [BETA, GAMMA]
    message = await error_of(discovery, peers(interest("unknown")))
    assert message == f"No metadata was found for chaincode unknown in channel {CHANNEL}"


async def test_the_configuration_names_msps_and_ordering_nodes(
    discovery: DiscoveryService, engine: FakeEngine
) -> None:
    (result,) = await answers(discovery, CONFIG)
    config = result.config_result
    assert sorted(config.msps) == [ALPHA, BETA, GAMMA]
    assert config.msps[ALPHA].root_certs[0].startswith(b"-----BEGIN CERTIFICATE-----")
    shown = {
        msp_id: tuple(f"{place.host}:{place.port}" for place in listed.endpoint)
        for msp_id, listed in config.orderers.items()
    }
    assert shown == {**dict.fromkeys(shown, ()), **engine.config.orderer_endpoints}
    assert set(shown) >= set(engine.config.orderer_endpoints)


async def test_endorsers_are_the_smallest_sets_that_satisfy_all_policies(
    discovery: DiscoveryService, engine: FakeEngine
) -> None:
    call = {"name": CHAINCODE, "collection_names": ["shared"]}
    results = await answers(discovery, endorsers(interest(CHAINCODE), interest(call)))
    plain, private = results[0].cc_query_res.content
    assert plain.chaincode == CHAINCODE
    assert layouts(plain) == [{ALPHA, BETA}, {ALPHA, GAMMA}, {BETA, GAMMA}]
    assert {quantity for layout in plain.layouts for quantity in layout.quantities_by_group.values()} == {1}
    assert layouts(private) == [{ALPHA, BETA}]
    engine.peers[BETA].serving = False
    (result,) = await answers(discovery, endorsers(interest(CHAINCODE)))
    assert layouts(result.cc_query_res.content[0]) == [{ALPHA, GAMMA}]


async def test_key_level_policies_narrow_the_sets(discovery: DiscoveryService) -> None:
    call = {"name": CHAINCODE, "key_policies": [parse_policy("AND('BetaMSP.peer')")]}
    (result,) = await answers(discovery, endorsers(interest(call)))
    assert layouts(result.cc_query_res.content[0]) == [{ALPHA, BETA}, {BETA, GAMMA}]
    alone = interest({**call, "disregard_namespace_policy": True})
    (result,) = await answers(discovery, endorsers(alone))
    assert layouts(result.cc_query_res.content[0]) == [{BETA}]


@pytest.mark.parametrize(
    ("interests", "message"),
    [
        ((), "chaincode query must have at least one chaincode interest"),
        ((interest(),), "chaincode interest must contain at least one chaincode"),
        ((interest(""),), "chaincode name in interest cannot be empty"),
        ((interest("no"),), 'failed constructing descriptor for chaincodes:{name:"no"}'),
        (
            (interest({"name": CHAINCODE, "disregard_namespace_policy": True}),),
            f'failed constructing descriptor for chaincodes:{{name:"{CHAINCODE}" '
            "disregard_namespace_policy:true}",
        ),
        (
            (interest({"name": CHAINCODE, "collection_names": ["absent"]}),),
            f'failed constructing descriptor for chaincodes:{{name:"{CHAINCODE}" collection_names:"absent"}}',
        ),
    ],
)
async def test_interests_that_nobody_can_endorse(
    discovery: DiscoveryService, interests: tuple[Any, ...], message: str
) -> None:
    assert await error_of(discovery, endorsers(*interests)) == message


async def test_only_writers_ask_about_a_channel_and_only_own_administrators_about_the_peer(
    discovery: DiscoveryService,
) -> None:
    denied = "access denied"
    assert await error_of(discovery, peers(channel="another")) == denied
    assert await error_of(discovery, peers(), member=members(ALPHA).peer) == denied
    assert await error_of(discovery, peers(), identity=members(BETA).client.serialized) == denied
    assert await error_of(discovery, LOCAL) == denied
    assert await error_of(discovery, LOCAL, member=administrator(BETA)) == denied
    assert await error_of(discovery, LOCAL, identity=administrator(ALPHA).serialized) == denied
    assert await error_of(discovery, LOCAL, identity=b"nobody") == denied
    (result,) = await answers(discovery, LOCAL, member=administrator(ALPHA))
    assert sorted(result.members.peers_by_org) == [ALPHA, BETA, GAMMA]
    assert not result.members.peers_by_org[ALPHA].peers[0].HasField("state_info")


async def test_queries_that_are_none_are_refused_one_by_one(discovery: DiscoveryService) -> None:
    missing = "unknown or missing request type"
    assert await error_of(discovery, protocol_pb2.Query(channel=CHANNEL)) == missing
    assert await error_of(discovery, endorsers(channel=""), member=administrator(ALPHA)) == missing
    local_on_channel = protocol_pb2.Query(channel=CHANNEL, local_peers=protocol_pb2.LocalPeerQuery())
    kinds = [
        result.WhichOneof("result") for result in await answers(discovery, local_on_channel, CONFIG, LOCAL)
    ]
    assert kinds == ["error", "config_result", "error"]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"\xff", "failed parsing request: "),
        (b"", "access denied, no authentication info in request"),
        (protocol_pb2.Request(authentication={}).SerializeToString(), "client identity wasn't supplied"),
    ],
)
async def test_malformed_requests(discovery: DiscoveryService, payload: bytes, message: str) -> None:
    with pytest.raises(ServiceError, match=message) as refusal:
        await discovery.discover(protocol_pb2.SignedRequest(payload=payload))
    assert refusal.value.status == StatusCode.UNKNOWN
