from typing import Any

import pytest
from fabric_protos.common import common_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.sample_channel import SampleLedger, members, sample_config, sample_genesis

from fabric_protocol.blocks import (
    check_link,
    check_well_formed,
    data_hash,
    header_bytes,
    header_hash,
    is_config_block,
    last_config_index,
    new_block,
    parse_block,
    set_flags,
    sign_block,
    transaction_flags,
    verify_block_signatures,
)
from fabric_protocol.errors import BlockError
from fabric_protocol.signatures import key_signer

ENVELOPE = common_pb2.Envelope(payload=b"p", signature=b"s").SerializeToString()


def der_value(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and rest, by the rules of DER."""
    length, start = data[1], 2
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
        assert length >= 0x80
    return data[0], data[start : start + length], data[start + length :]


def refused(code: str, block: Any) -> None:
    with pytest.raises(BlockError) as caught:
        check_well_formed(block)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "020100"),
        (1, "020101"),
        (127, "02017f"),
        (128, "02020080"),
        (256, "02020100"),
        (2**64 - 1, "020900" + "ff" * 8),
    ],
)
def test_the_number_is_a_minimal_unsigned_integer(number: int, encoded: str) -> None:
    header = common_pb2.BlockHeader(number=number, previous_hash=b"\x01", data_hash=b"\x02")

    assert header_bytes(header).hex()[4:] == encoded + "040101040102"


def test_a_missing_hash_is_an_empty_octet_string() -> None:
    assert header_bytes(common_pb2.BlockHeader(number=1)).hex() == "300702010104000400"


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300), st.binary(max_size=300))
def test_headers_are_der(number: int, previous: bytes, data: bytes) -> None:
    header = common_pb2.BlockHeader(number=number, previous_hash=previous, data_hash=data)

    tag, content, rest = der_value(header_bytes(header))
    assert (tag, rest) == (0x30, b"")
    tag, encoded, content = der_value(content)
    assert (tag, int.from_bytes(encoded, "big", signed=True)) == (2, number)
    assert der_value(content)[:2] == (4, previous)
    assert der_value(der_value(content)[2]) == (4, data, b"")


def test_a_new_block_is_linked_and_well_formed() -> None:
    first = new_block(0, b"", [ENVELOPE])
    second = new_block(1, header_hash(first.header), [ENVELOPE, ENVELOPE])

    check_link(second, number=1, previous_hash=header_hash(first.header))
    check_well_formed(second)
    assert data_hash(second.data) == second.header.data_hash
    assert transaction_flags(second) == b""


def test_a_wrong_link_is_refused() -> None:
    block = new_block(3, b"p" * 32, [ENVELOPE])

    with pytest.raises(BlockError, match="Got block 3, expected block 4"):
        check_link(block, number=4, previous_hash=b"p" * 32)
    with pytest.raises(BlockError) as caught:
        check_link(block, number=3, previous_hash=b"q" * 32)
    assert caught.value.code == "PREVIOUS_HASH_WRONG"


@pytest.mark.parametrize(
    "entry",
    [
        b"\x12\x01s\x0a\x01p",
        b"\x0a\x01x\x0a\x01p\x12\x01s",
        b"\x0a\x81\x00p\x12\x01s",
        common_pb2.Envelope(payload=b"p").SerializeToString(),
        common_pb2.Envelope(signature=b"s").SerializeToString(),
        b"\x0a\xff",
        b"",
    ],
    ids=["order", "repeat", "long length", "no signature", "no payload", "cut off", "empty"],
)
def test_an_envelope_with_another_encoding_is_refused(entry: bytes) -> None:
    refused("ENVELOPE_MALFORMED", new_block(1, b"", [ENVELOPE, entry]))
    refused("ENVELOPE_MALFORMED", new_block(1, b"", [entry]))


def test_changed_data_an_empty_block_and_missing_metadata_are_refused() -> None:
    changed = new_block(1, b"", [ENVELOPE])
    changed.data.data.append(ENVELOPE)
    short = new_block(1, b"", [ENVELOPE])
    del short.metadata.metadata[3:]

    refused("DATA_HASH_WRONG", changed)
    refused("BLOCK_MALFORMED", new_block(1, b"", []))
    refused("BLOCK_MALFORMED", short)


def test_only_a_lone_configuration_is_a_configuration_block() -> None:
    genesis = sample_genesis("AlphaMSP")
    entry = genesis.data.data[0]

    assert is_config_block(genesis)
    assert not is_config_block(new_block(1, b"", [entry, entry]))
    assert not is_config_block(new_block(1, b"", [ENVELOPE]))
    check_well_formed(genesis)
    refused("ENVELOPE_MALFORMED", new_block(1, b"", [entry, entry]))


def test_bytes_that_are_no_block_are_refused() -> None:
    for data in (b"\xff\xff", b"", b"\x12\x00"):
        with pytest.raises(BlockError) as caught:
            parse_block(data)
        assert caught.value.code == "BLOCK_MALFORMED"


def test_flags_are_one_byte_each() -> None:
    block = new_block(1, b"", [ENVELOPE, ENVELOPE])

    assert transaction_flags(set_flags(block, b"\x00\x0b")) == b"\x00\x0b"
    with pytest.raises(BlockError) as caught:
        set_flags(block, b"\x00")
    assert caught.value.code == "FLAGS_WRONG"


def signed_block(msp_id: str, role: str) -> Any:
    member = getattr(members(msp_id), role)
    block = new_block(7, b"p" * 32, [ENVELOPE])
    return sign_block(
        block,
        last_config=0,
        signer=key_signer(member.key),
        creator=member.serialized,
        nonce=b"n" * 24,
        consenter_metadata=b"raft",
    )


def test_a_block_is_signed_by_an_orderer_and_nobody_else() -> None:
    config = sample_config("AlphaMSP", "BetaMSP")

    verify_block_signatures(signed_block("BetaMSP", "orderer"), config)
    for block in (
        signed_block("AlphaMSP", "peer"),
        signed_block("AlphaMSP", "client"),
        signed_block("GammaMSP", "orderer"),
        new_block(7, b"", [ENVELOPE]),
    ):
        with pytest.raises(BlockError) as caught:
            verify_block_signatures(block, config)
        assert caught.value.code == "BLOCK_SIGNATURES_INSUFFICIENT"


def test_a_signature_covers_header_and_last_configuration() -> None:
    config = sample_config("AlphaMSP")
    other_header = signed_block("AlphaMSP", "orderer")
    other_header.header.number = 8
    other_config = signed_block("AlphaMSP", "orderer")
    content = common_pb2.Metadata.FromString(other_config.metadata.metadata[0])
    value = common_pb2.OrdererBlockMetadata.FromString(content.value)
    value.last_config.index = 5
    content.value = value.SerializeToString()
    other_config.metadata.metadata[0] = content.SerializeToString()

    assert last_config_index(other_config) == 5
    for block in (other_header, other_config):
        with pytest.raises(BlockError):
            verify_block_signatures(block, config)


def test_the_last_configuration_is_read_from_the_unsigned_copy_only_without_a_signed_one() -> None:
    block = SampleLedger(("AlphaMSP",), "OR('AlphaMSP.peer')").block(ENVELOPE)
    index = common_pb2.LastConfig(index=3).SerializeToString()
    block.metadata.metadata[1] = common_pb2.Metadata(value=index).SerializeToString()

    assert last_config_index(block) == 3
    assert last_config_index(signed_block("AlphaMSP", "orderer")) == 0


def test_metadata_that_does_not_parse_is_refused() -> None:
    block = new_block(1, b"", [ENVELOPE])
    block.metadata.metadata[0] = b"\xff"

    for check in (last_config_index, lambda it: verify_block_signatures(it, sample_config("AlphaMSP"))):
        with pytest.raises(BlockError) as caught:
            check(block)
        assert caught.value.code == "BLOCK_MALFORMED"
