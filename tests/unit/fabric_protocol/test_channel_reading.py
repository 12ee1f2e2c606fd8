"""The configuration of a channel that real nodes ran, and damaged copies of it."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_blocks import FABRIC_BFT, envelopes, recorded_block

from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.consensus_metadata import bft_block_validation, bft_quorum
from fabric_protocol.errors import ConfigError, ProtocolError
from fabric_protocol.identities import serialize_identity
from fabric_protocol.ordering_config import OrderingConfig
from fabric_protocol.policies import SignedData
from fabric_protocol.principals import role_principal

CONFIG = ChannelConfig.from_block(recorded_block("peer-00"))
RECORDED = configtx_pb2.Config(channel_group=CONFIG.group)


def test_the_recorded_channel() -> None:
    assert (CONFIG.channel_id, CONFIG.sequence, CONFIG.consensus_type) == ("mychannel", 0, "BFT")
    assert CONFIG.organizations == (("Org1MSP", "Org1MSP"), ("Org2MSP", "Org2MSP"))
    assert CONFIG.orderer_organizations == (("OrdererOrg", "OrdererMSP"),)
    assert CONFIG.msps.msp_ids == ("OrdererMSP", "Org1MSP", "Org2MSP")
    assert CONFIG.anchor_peers == {"Org1MSP": ("127.0.0.1:7051",), "Org2MSP": ("127.0.0.1:9051",)}
    ports = [consenter.port for consenter in CONFIG.consenters]
    assert CONFIG.orderer_endpoints == {"OrdererMSP": tuple(f"127.0.0.1:{port}" for port in ports)}
    assert [consenter.consenter_id for consenter in CONFIG.consenters] == [1, 2, 3, 4]
    assert (CONFIG.max_message_count, CONFIG.batch_timeout) == (500, timedelta(milliseconds=200))
    assert (CONFIG.absolute_max_bytes, CONFIG.preferred_max_bytes) == (90 * 2**20, 8 * 2**20)
    assert CONFIG.capabilities == {"Channel": {"V3_0"}, "Orderer": {"V2_0"}, "Application": {"V2_5"}}
    assert CONFIG.acls == {}


def test_every_recorded_copy_of_the_configuration_is_the_same() -> None:
    for name in ("orderer-00", "config-latest"):
        assert ChannelConfig.from_block(recorded_block(name)).group == CONFIG.group
    assert (FABRIC_BFT / "config-latest.block").read_bytes() == (FABRIC_BFT / "orderer-00.block").read_bytes()


def test_consenters_are_orderers_and_make_the_block_policy() -> None:
    for consenter in CONFIG.consenters:
        identity = CONFIG.msps.deserialize(serialize_identity(consenter.msp_id, consenter.identity))
        CONFIG.msps.validate(identity)
        assert CONFIG.msps.satisfies(identity, role_principal("OrdererMSP", "orderer"))
    expected = bft_block_validation(OrderingConfig(consensus="BFT", consenters=CONFIG.consenters))
    assert CONFIG.policies.policy("/Channel/Orderer/BlockValidation").envelope == expected


@pytest.mark.parametrize(
    ("consenters", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7)]
)
def test_quorums(consenters: int, quorum: int) -> None:
    assert bft_quorum(consenters) == quorum


def header_der(header: Any) -> bytes:
    """DER of a small block header; every recorded one is shorter than 128 bytes."""
    number = header.number.to_bytes(1, "big")
    parts = b"".join(
        bytes((tag, len(content))) + content
        for tag, content in ((2, number), (4, header.previous_hash), (4, header.data_hash))
    )
    return bytes((0x30, len(parts))) + parts


@pytest.mark.parametrize("number", range(1, 15))
def test_the_consenters_signatures_satisfy_the_block_policy(number: int) -> None:
    block = recorded_block(f"peer-{number:02}")
    metadata = common_pb2.Metadata.FromString(block.metadata.metadata[0])
    by_id = {consenter.consenter_id: consenter for consenter in CONFIG.consenters}
    signed = []
    for item in metadata.signatures:
        consenter = by_id[common_pb2.IdentifierHeader.FromString(item.identifier_header).identifier]
        identity = serialize_identity(consenter.msp_id, consenter.identity)
        data = metadata.value + item.identifier_header + header_der(block.header)
        signed.append(SignedData(data, identity, item.signature))
    policy = CONFIG.policies.policy("/Channel/Orderer/BlockValidation")
    assert policy.evaluate(signed)
    assert not policy.evaluate(signed[:2])
    assert not policy.evaluate([*signed[:2], signed[0]])


def test_block_0_is_the_first_of_the_recorded_chain() -> None:
    genesis = hashlib.sha256(header_der(recorded_block("peer-00").header)).digest()
    assert recorded_block("peer-01").header.previous_hash == genesis


def set_value(group: Any, key: str, message: Any) -> None:
    group.values[key].value = message.SerializeToString()


def part(root: Any, *path: str) -> Any:
    return part(root.groups[path[0]], *path[1:]) if path else root


def batch(**sizes: int) -> Callable[[Any], None]:
    sizes = {"max_message_count": 1, "absolute_max_bytes": 9, "preferred_max_bytes": 9, **sizes}
    return lambda root: set_value(part(root, "Orderer"), "BatchSize", orderer_pb2.BatchSize(**sizes))


def capability(*path: str) -> Callable[[Any], None]:
    message = configuration_pb2.Capabilities(capabilities={"V9_9": configuration_pb2.Capability()})
    return lambda root: set_value(part(root, *path), "Capabilities", message)


def policy(kind: int, value: bytes) -> Callable[[Any], None]:
    message = policies_pb2.Policy(type=kind, value=value)
    return lambda root: part(root, "Application").policies["Writers"].policy.CopyFrom(message)


def timeout(text: str) -> Callable[[Any], None]:
    return lambda root: set_value(
        part(root, "Orderer"), "BatchTimeout", orderer_pb2.BatchTimeout(timeout=text)
    )


def other_msp(root: Any) -> None:
    second = part(root, "Application", "Org2MSP").values["MSP"].value
    part(root, "Orderer").groups["Org2"].values["MSP"].value = second + b"\x08\x00"
    part(root, "Orderer").groups["Org3"].values["MSP"].value = second


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda root: root.groups.pop("Orderer"), "CHANNEL_CONFIG_INVALID"),
        (lambda root: root.groups.pop("Application"), "CHANNEL_CONFIG_INVALID"),
        (lambda root: part(root, "Orderer").values.pop("BatchSize"), "CHANNEL_CONFIG_INVALID"),
        (lambda root: part(root, "Application", "Org1MSP").values.pop("MSP"), "CHANNEL_CONFIG_INVALID"),
        (batch(max_message_count=0), "CHANNEL_CONFIG_INVALID"),
        (batch(preferred_max_bytes=10), "CHANNEL_CONFIG_INVALID"),
        (timeout("soon"), "CHANNEL_CONFIG_INVALID"),
        (timeout("0s"), "CHANNEL_CONFIG_INVALID"),
        (capability(), "CAPABILITY_UNKNOWN"),
        (capability("Orderer"), "CAPABILITY_UNKNOWN"),
        (capability("Application"), "CAPABILITY_UNKNOWN"),
        (policy(0, b""), "CHANNEL_CONFIG_INVALID"),
        (policy(1, b"\xff"), "CHANNEL_CONFIG_INVALID"),
        (policy(1, b""), "CHANNEL_CONFIG_INVALID"),
        (policy(3, b"\xff"), "CHANNEL_CONFIG_INVALID"),
        (other_msp, "CHANNEL_CONFIG_INVALID"),
        (
            lambda root: setattr(part(root, "Orderer").values["Orderers"], "value", b"\xff"),
            "CHANNEL_CONFIG_INVALID",
        ),
        (
            lambda root: setattr(part(root, "Orderer").values["BatchSize"], "value", b"\xff"),
            "CHANNEL_CONFIG_INVALID",
        ),
    ],
)
def test_what_a_node_would_refuse_is_refused(damage: Callable[[Any], Any], code: str) -> None:
    config = configtx_pb2.Config.FromString(RECORDED.SerializeToString())
    damage(config.channel_group)
    with pytest.raises(ConfigError) as caught:
        ChannelConfig.from_config("mychannel", config)
    assert caught.value.code == code


def test_a_child_without_the_policy_counts_as_refusing() -> None:
    config = configtx_pb2.Config.FromString(RECORDED.SerializeToString())
    for organization in part(config.channel_group, "Application").groups.values():
        organization.policies.pop("Writers")
    read = ChannelConfig.from_config("mychannel", config)
    assert not read.policies.policy("/Channel/Application/Writers").evaluate([])
    assert read.policies.find("/Channel/Application/Org1MSP/Writers") is None


def test_access_control_lists_are_read() -> None:
    config = configtx_pb2.Config.FromString(RECORDED.SerializeToString())
    acls = peer_pb2.ACLs(acls={"peer/Propose": peer_pb2.APIResource(policy_ref="Readers")})
    set_value(part(config.channel_group, "Application"), "ACLs", acls)
    assert ChannelConfig.from_config("mychannel", config).acls == {"peer/Propose": "Readers"}


def test_only_configuration_blocks_are_read() -> None:
    transaction = recorded_block("peer-03")
    several = recorded_block("peer-11")
    for block in (transaction, several, common_pb2.Block()):
        with pytest.raises(ConfigError) as caught:
            ChannelConfig.from_block(block)
        assert caught.value.code == "CHANNEL_CONFIG_INVALID"
    assert len(envelopes(several)) > 1


# A damaged certificate may be one that `cryptography` reads with a warning.
@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.data())
def test_damaged_bytes_give_an_error_or_a_configuration(data: st.DataObject) -> None:
    whole = bytearray(recorded_block("peer-00").data.data[0])
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    try:
        outcome: object = ChannelConfig.from_envelope(bytes(whole))
    except ProtocolError as error:
        outcome = error
    assert isinstance(outcome, ChannelConfig | ConfigError)
