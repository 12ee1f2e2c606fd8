"""Header blocks: what we write, others read; what others write twice is read once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hpack import Decoder, Encoder

from fabric_embedded.http2 import header_blocks
from fabric_embedded.http2.frames import ConnectionFault, ErrorCode
from fabric_embedded.http2.header_blocks import HeaderReader

pytestmark = pytest.mark.unit
CALL = [(":method", "POST"), (":path", "/gateway.Gateway/Submit"), ("te", "trailers"), ("grpc-timeout", "5S")]


def decoded(block: bytes) -> list[Any]:
    return [tuple(field) for field in Decoder().decode(block)]


def test_what_is_written_can_be_read() -> None:
    assert decoded(header_blocks.RESPONSE) == [(":status", "200"), ("content-type", "application/grpc")]
    assert decoded(header_blocks.trailers(0)) == [("grpc-status", "0")]
    assert decoded(header_blocks.request("/a/b", "host:1", "https"))[:4] == [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/a/b"),
        (":authority", "host:1"),
    ]


def test_messages_are_percent_encoded() -> None:
    assert decoded(header_blocks.trailers(2, "50 % of käse\nand 'more'")) == [
        ("grpc-status", "2"),
        ("grpc-message", "50 %25 of k%C3%A4se%0Aand 'more'"),
    ]


def test_long_messages_are_cut() -> None:
    [_, (_, message)] = decoded(header_blocks.trailers(2, "x" * 100_000))
    assert len(message) == 4096


@pytest.mark.parametrize("size", [0, 1, 2, 3, 126, 127, 128, 400, 20_000])
def test_binary_fields_are_base64_without_padding(size: int) -> None:
    value = bytes(range(256)) * 100
    block = header_blocks.metadata([("some-bin", value[:size]), ("text", b"plain")])
    [(_, text), plain] = [tuple(field) for field in Decoder(max_header_list_size=2**20).decode(block)]
    assert base64.b64decode(text + "=" * (-len(text) % 4)) == value[:size]
    assert plain == ("text", "plain")


def test_known_blocks_mean_what_they_meant_until_the_table_changes() -> None:
    encoder, reader, plain = Encoder(), HeaderReader(), Decoder()
    calls = [
        CALL,
        CALL,
        CALL,
        [*CALL[:3], ("grpc-timeout", "6S")],
        CALL,
        CALL,
        [*CALL, ("x", "y")],
        CALL,
        CALL,
    ]
    for call in calls:
        block = encoder.encode(call)
        assert reader.read(block) == dict(plain.decode(block)) == dict(call)
    assert reader.read(block) is reader.read(block)


@pytest.mark.parametrize(
    "block", [b"\x80", b"\xff\xff\xff", b"\xfe", b"\x40\x05ab", b"\x3f\xff\xff\x7f", b"\x00"]
)
def test_what_cannot_be_decoded_ends_the_connection(block: bytes) -> None:
    with pytest.raises(ConnectionFault) as fault:
        HeaderReader().read(block)
    assert fault.value.code == ErrorCode.COMPRESSION_ERROR


def test_more_headers_than_are_allowed_end_the_connection() -> None:
    with pytest.raises(ConnectionFault):
        HeaderReader().read(Encoder().encode([(f"name-{number}", "x" * 1000) for number in range(20)]))
