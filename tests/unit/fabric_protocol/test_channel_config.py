"""Our own genesis block, built and read back; recorded ones are in test_channel_reading.py."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from support.sample_organizations import Member, SampleOrganization

from fabric_protocol.channel_config import (
    ChannelConfig,
    Consenter,
    OrderingConfig,
    OrganizationConfig,
    genesis_block,
)
from fabric_protocol.errors import ConfigError
from fabric_protocol.policies import format_policy

TIMESTAMP = datetime(2025, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
SAMPLES = [SampleOrganization(msp_id) for msp_id in ("RiverMSP", "LakeMSP", "NorthMSP")]
RIVER, LAKE, NORTH = SAMPLES
TLS = RIVER.member(name="localhost", server=True, client=True).pem
ORDERING = OrderingConfig(consenters=(Consenter("127.0.0.1", 7050, TLS, TLS),))
ORGANIZATIONS = [
    OrganizationConfig(
        name=sample.msp_id.removesuffix("MSP").lower(),
        msp_id=sample.msp_id,
        msp_config=sample.msp_config(),
        orderer_endpoints=("127.0.0.1:7050",),
        anchor_peers=("127.0.0.1:7051",),
    )
    for sample in SAMPLES
]
BLOCK = genesis_block("consentry", ORGANIZATIONS, ORDERING, timestamp=TIMESTAMP, nonce=bytes(24))
CONFIG = ChannelConfig.from_block(BLOCK)


def allowed(policy: str, *members: Member) -> bool:
    return CONFIG.policies.policy(policy).evaluate([member.signed(b"data") for member in members])


def test_the_block_has_the_genesis_form() -> None:
    assert BLOCK.header.number == 0
    assert BLOCK.header.previous_hash == b""
    assert BLOCK.header.data_hash == hashlib.sha256(BLOCK.data.data[0]).digest()
    envelope = common_pb2.Envelope.FromString(BLOCK.data.data[0])
    assert envelope.signature == b""
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    signature_header = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
    assert (header.type, header.channel_id, header.version, header.epoch) == (1, "consentry", 0, 0)
    assert (header.timestamp.ToDatetime(UTC), header.timestamp.nanos) == (TIMESTAMP.replace(microsecond=0), 0)
    assert (signature_header.creator, signature_header.nonce) == (b"", bytes(24))
    assert header.tx_id == hashlib.sha256(bytes(24)).hexdigest()
    assert not configtx_pb2.ConfigEnvelope.FromString(payload.data).HasField("last_update")
    signatures, last_config, *others = BLOCK.metadata.metadata
    value = common_pb2.OrdererBlockMetadata.FromString(common_pb2.Metadata.FromString(signatures).value)
    assert value.HasField("last_config")
    assert value.last_config.index == 0
    assert common_pb2.Metadata.FromString(last_config).value == b""
    assert others == [b"", b"", b""]


def test_it_reads_back() -> None:
    assert (CONFIG.channel_id, CONFIG.sequence, CONFIG.consensus_type) == ("consentry", 0, "etcdraft")
    expected = (("lake", "LakeMSP"), ("north", "NorthMSP"), ("river", "RiverMSP"))
    assert CONFIG.organizations == expected
    assert CONFIG.orderer_organizations == expected
    assert CONFIG.organization_name("LakeMSP") == "lake"
    assert CONFIG.organization_name("OtherMSP") is None
    assert CONFIG.msps.msp_ids == ("LakeMSP", "NorthMSP", "RiverMSP")
    assert CONFIG.orderer_endpoints["LakeMSP"] == ("127.0.0.1:7050",)
    assert CONFIG.anchor_peers["LakeMSP"] == ("127.0.0.1:7051",)
    assert (CONFIG.max_message_count, CONFIG.absolute_max_bytes) == (500, 10 * 2**20)
    assert (CONFIG.preferred_max_bytes, CONFIG.batch_timeout) == (2 * 2**20, timedelta(milliseconds=10))
    assert CONFIG.consenters == ORDERING.consenters
    assert CONFIG.has_capability("Channel", "V3_0")
    assert CONFIG.has_capability("Orderer", "V2_0")
    assert CONFIG.has_capability("Application", "V2_5")
    assert not CONFIG.has_capability("Application", "V2_0")


def test_only_orderers_sign_blocks() -> None:
    envelope = CONFIG.policies.policy("/Channel/Orderer/BlockValidation").envelope
    assert format_policy(envelope) == "OR('LakeMSP.orderer', 'NorthMSP.orderer', 'RiverMSP.orderer')"
    assert allowed("/Channel/Orderer/BlockValidation", LAKE.member("orderer"))
    for role in ("admin", "peer", "client"):
        assert not allowed("/Channel/Orderer/BlockValidation", LAKE.member(role), NORTH.member(role))


@pytest.mark.parametrize(
    ("policy", "members", "expected"),
    [
        ("/Channel/Application/Writers", [("client", LAKE)], True),
        ("/Channel/Application/Writers", [("admin", LAKE)], True),
        ("/Channel/Application/Writers", [("peer", LAKE)], False),
        ("/Channel/Application/Writers", [("orderer", LAKE)], False),
        ("/Channel/Application/Readers", [("peer", LAKE)], True),
        ("/Channel/Writers", [("orderer", LAKE)], True),
        ("/Channel/Writers", [("peer", LAKE)], False),
        ("/Channel/Orderer/Writers", [("client", LAKE)], False),
        ("/Channel/Application/LifecycleEndorsement", [("peer", LAKE)], False),
        ("/Channel/Application/LifecycleEndorsement", [("peer", LAKE), ("peer", LAKE)], False),
        ("/Channel/Application/LifecycleEndorsement", [("peer", LAKE), ("peer", NORTH)], True),
        ("/Channel/Application/LifecycleEndorsement", [("client", LAKE), ("client", NORTH)], False),
        ("/Channel/Application/Endorsement", [("peer", RIVER), ("peer", NORTH)], True),
        ("/Channel/Application/lake/Endorsement", [("peer", NORTH)], False),
        ("/Channel/Admins", [("admin", LAKE)], False),
        ("/Channel/Admins", [("admin", LAKE), ("admin", NORTH)], True),
    ],
)
def test_who_may_do_what(policy: str, members: list[tuple[str, SampleOrganization]], expected: bool) -> None:
    assert allowed(policy, *[sample.member(role) for role, sample in members]) is expected


def test_the_same_input_gives_the_same_bytes_and_another_nonce_another_channel() -> None:
    again = genesis_block("consentry", ORGANIZATIONS, ORDERING, timestamp=TIMESTAMP, nonce=bytes(24))
    other = genesis_block("consentry", ORGANIZATIONS, ORDERING, timestamp=TIMESTAMP)
    assert again.SerializeToString() == BLOCK.SerializeToString()
    assert other.header.data_hash != BLOCK.header.data_hash


def test_every_element_can_be_changed_by_administrators() -> None:
    def elements(group: Any) -> list[Any]:
        below = [element for child in group.groups.values() for element in elements(child)]
        return [group, *group.values.values(), *group.policies.values(), *below]

    assert {(element.mod_policy, element.version) for element in elements(CONFIG.group)} == {("Admins", 0)}


def test_a_bft_channel_has_its_own_block_policy_and_consenters() -> None:
    orderers = [sample.member("orderer") for sample in (*SAMPLES, RIVER)]
    nodes = tuple(
        Consenter("127.0.0.1", 7050 + number, TLS, TLS, number, orderer.identity.msp_id, orderer.pem)
        for number, orderer in enumerate(orderers, 1)
    )
    ordering = OrderingConfig(consensus="BFT", consenters=nodes)
    config = ChannelConfig.from_block(genesis_block("c", ORGANIZATIONS, ordering, timestamp=TIMESTAMP))
    assert (config.consensus_type, config.consenters) == ("BFT", nodes)
    policy = config.policies.policy("/Channel/Orderer/BlockValidation")
    signed = [orderer.signed(b"block") for orderer in orderers]
    assert policy.evaluate(signed[:3])
    assert not policy.evaluate(signed[:2])
    assert not policy.evaluate([*signed[:2], signed[1], RIVER.member("orderer").signed(b"block")])


@pytest.mark.parametrize(
    "options",
    [
        {"channel_id": ""},
        {"channel_id": "Upper"},
        {"channel_id": "a" * 250},
        {"organizations": []},
        {"organizations": [*ORGANIZATIONS, ORGANIZATIONS[0]]},
        {"organizations": [*ORGANIZATIONS, replace(ORGANIZATIONS[0], name="twin")]},
        {"organizations": [replace(ORGANIZATIONS[0], name="has/slash")]},
        {"organizations": [replace(ORGANIZATIONS[0], orderer_endpoints=())]},
        {"organizations": [replace(ORGANIZATIONS[0], msp_id="OtherMSP")]},
        {"organizations": [replace(ORGANIZATIONS[0], anchor_peers=("no port",))]},
        {"ordering": OrderingConfig()},
        {"ordering": OrderingConfig(consenters=(Consenter("h", 1, b"no PEM", TLS),))},
        {"ordering": OrderingConfig(consensus="BFT", consenters=(Consenter("h", 1, TLS, TLS),))},
        {"ordering": OrderingConfig(consensus="BFT", consenters=(Consenter("h", 1, TLS, TLS, 1, "", TLS),))},
        {"timestamp": datetime(2025, 1, 1)},
    ],
)
def test_what_makes_no_channel_is_refused(options: dict[str, Any]) -> None:
    arguments = {
        "channel_id": "c",
        "organizations": ORGANIZATIONS,
        "ordering": ORDERING,
        "timestamp": TIMESTAMP,
    }
    arguments |= options
    with pytest.raises(ConfigError) as caught:
        genesis_block(**arguments)
    assert caught.value.code in {"CHANNEL_CONFIG_INVALID", "ORDERING_INVALID"}
