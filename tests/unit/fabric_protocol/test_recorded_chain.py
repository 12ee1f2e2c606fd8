"""The rules against blocks that a real SmartBFT network made."""

from hashlib import sha256

import pytest
from fabric_protos.common import common_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recorded_blocks import FABRIC_BFT, peer_blocks, recorded_block
from support.replaying import replay, verdict

from fabric_protocol.blocks import (
    header_hash,
    last_config_index,
    parse_block,
    signed_data,
    transaction_flags,
    verify_block_signatures,
)
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.commit_hash import commit_hash, read_commit_hash, set_commit_hash
from fabric_protocol.errors import ProtocolError
from fabric_protocol.rwset_encoding import decode_rwset, encode_rwset
from fabric_protocol.transactions import ENDORSER_TRANSACTION, Transaction

CONFIG = ChannelConfig.from_block(recorded_block("peer-00"))


def recorded_transactions() -> list[Transaction]:
    entries = [Transaction.from_envelope(data) for block in peer_blocks() for data in block.data.data]
    return [entry for entry in entries if entry.type == ENDORSER_TRANSACTION]


def test_every_flag_and_commit_hash_is_recomputed() -> None:
    steps = list(replay(peer_blocks()))

    assert [step.validated.flags for step in steps] == [transaction_flags(step.block) for step in steps]
    assert {int(code) for step in steps for code in step.validated.codes} == {0, 10, 11}
    assert [
        commit_hash(step.validated.flags, step.validated.updates, step.previous_commit_hash)
        for step in steps[1:]
    ] == [read_commit_hash(step.block) for step in steps[1:]]
    assert verdict(peer_blocks()) == "consistent"


def test_read_write_sets_and_transaction_ids_are_rebuilt_byte_for_byte() -> None:
    transactions = recorded_transactions()

    assert len(transactions) == 35
    for entry in transactions:
        assert encode_rwset(decode_rwset(entry.results)) == entry.results
        assert entry.transaction_id == sha256(entry.nonce + entry.creator).hexdigest()


def test_blocks_are_rebuilt_byte_for_byte() -> None:
    for number in range(15):
        data = (FABRIC_BFT / f"peer-{number:02}.block").read_bytes()
        assert parse_block(data).SerializeToString() == data


def test_events_arguments_and_responses_are_read() -> None:
    put = Transaction.from_envelope(recorded_block("peer-03").data.data[0])

    assert (put.chaincode, put.version, put.arguments[0]) == ("ccdata", "1", b"put")
    assert put.event is not None
    assert (put.event.name, put.event.payload) == ("e", b"hello")
    assert put.response is not None
    assert put.response.status == 200
    assert len(put.endorsements) == 2


def test_a_block_from_an_orderer_has_no_flags_but_verifies() -> None:
    block = recorded_block("orderer-05")

    verify_block_signatures(block, CONFIG)
    assert transaction_flags(block) == b""
    assert read_commit_hash(block) == b""
    assert last_config_index(block) == 0
    assert header_hash(block.header) == header_hash(recorded_block("peer-05").header)


def test_both_organizations_peers_hold_the_same_commit_hash() -> None:
    first, second = recorded_block("peer-06"), recorded_block("peer-org2-06")

    assert read_commit_hash(first) == read_commit_hash(second)
    assert header_hash(first.header) == header_hash(second.header)


def test_too_few_orderers_signatures_are_refused() -> None:
    block = recorded_block("peer-08")
    content = common_pb2.Metadata.FromString(block.metadata.metadata[0])
    del content.signatures[2:]
    block.metadata.metadata[0] = content.SerializeToString()

    with pytest.raises(ProtocolError) as caught:
        verify_block_signatures(block, CONFIG)

    assert caught.value.code == "BLOCK_SIGNATURES_INSUFFICIENT"


def test_a_signature_by_a_number_that_no_consenter_has_is_left_out() -> None:
    block = recorded_block("peer-08")
    content = common_pb2.Metadata.FromString(block.metadata.metadata[0])
    content.signatures[1].identifier_header = common_pb2.IdentifierHeader(
        identifier=9, nonce=b"n"
    ).SerializeToString()
    block.metadata.metadata[0] = content.SerializeToString()

    assert len(signed_data(block, CONFIG)) == len(content.signatures) - 1
    with pytest.raises(ProtocolError) as caught:
        verify_block_signatures(block, CONFIG)
    assert caught.value.code == "BLOCK_SIGNATURES_INSUFFICIENT"


def test_one_orderers_signature_counts_once() -> None:
    block = recorded_block("peer-08")
    content = common_pb2.Metadata.FromString(block.metadata.metadata[0])
    first = content.signatures[0].SerializeToString()
    del content.signatures[:]
    content.signatures.extend([common_pb2.MetadataSignature.FromString(first)] * 4)
    block.metadata.metadata[0] = content.SerializeToString()

    with pytest.raises(ProtocolError) as caught:
        verify_block_signatures(block, CONFIG)

    assert caught.value.code == "BLOCK_SIGNATURES_INSUFFICIENT"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_transaction_is_found(data: st.DataObject) -> None:
    blocks = peer_blocks()
    number = data.draw(st.integers(1, 14))
    entries = blocks[number].data.data
    index = data.draw(st.integers(0, len(entries) - 1))
    entry = bytearray(entries[index])
    entry[data.draw(st.integers(0, len(entry) - 1))] ^= data.draw(st.integers(1, 255))
    entries[index] = bytes(entry)

    assert verdict(blocks) == f"DATA_HASH_WRONG {number}"


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(1, 14),
    field=st.sampled_from(["previous_hash", "data_hash"]),
    position=st.integers(0, 31),
    change=st.integers(1, 255),
)
def test_any_changed_byte_of_a_header_is_found(number: int, field: str, position: int, change: int) -> None:
    blocks = peer_blocks()
    value = bytearray(getattr(blocks[number].header, field))
    value[position] ^= change
    setattr(blocks[number].header, field, bytes(value))

    expected = "PREVIOUS_HASH_WRONG" if field == "previous_hash" else "DATA_HASH_WRONG"
    assert verdict(blocks) == f"{expected} {number}"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_changed_flag_or_commit_hash_is_found(data: st.DataObject) -> None:
    blocks = peer_blocks()
    number = data.draw(st.integers(1, 14))
    if data.draw(st.booleans()):
        flags = bytearray(transaction_flags(blocks[number]))
        flags[data.draw(st.integers(0, len(flags) - 1))] ^= data.draw(st.integers(1, 255))
        blocks[number].metadata.metadata[2] = bytes(flags)
        assert verdict(blocks) == f"FLAGS {number}"
    else:
        value = bytearray(read_commit_hash(blocks[number]))
        value[data.draw(st.integers(0, 31))] ^= data.draw(st.integers(1, 255))
        set_commit_hash(blocks[number], bytes(value))
        assert verdict(blocks) == f"COMMIT_HASH {number}"


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_changed_orderers_signature_is_found(position: int) -> None:
    blocks = peer_blocks()
    content = common_pb2.Metadata.FromString(blocks[5].metadata.metadata[0])
    signature = bytearray(content.signatures[position].signature)
    signature[-1] ^= 1
    content.signatures[position].signature = bytes(signature)
    blocks[5].metadata.metadata[0] = content.SerializeToString()

    assert verdict(blocks) == "BLOCK_SIGNATURES_INSUFFICIENT 5"


def test_an_exchanged_or_missing_block_is_found() -> None:
    exchanged = peer_blocks()
    exchanged[7], exchanged[8] = exchanged[8], exchanged[7]
    missing = peer_blocks()
    del missing[9]

    assert verdict(exchanged) == "BLOCK_NUMBER_WRONG 7"
    assert verdict(missing) == "BLOCK_NUMBER_WRONG 9"
