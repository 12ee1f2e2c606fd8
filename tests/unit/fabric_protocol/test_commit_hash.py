from hashlib import sha256
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.blocks import new_block
from fabric_protocol.commit_hash import commit_hash, read_commit_hash, set_commit_hash
from fabric_protocol.errors import BlockError
from fabric_protocol.state import Version
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch


def updates_message() -> Any:
    """The message of Fabric's updates.proto, built here so that protobuf itself encodes it."""
    file = descriptor_pb2.FileDescriptorProto(name="updates_test.proto", package="test", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    write = file.message_type.add(name="KVWrite")
    for number, (name, kind) in enumerate(
        [
            ("namespace", kinds.TYPE_STRING),
            ("collection", kinds.TYPE_STRING),
            ("key", kinds.TYPE_BYTES),
            ("isDelete", kinds.TYPE_BOOL),
            ("value", kinds.TYPE_BYTES),
            ("version_bytes", kinds.TYPE_BYTES),
        ],
        start=1,
    ):
        write.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    updates = file.message_type.add(name="Updates")
    updates.field.add(
        name="kvwrites",
        number=1,
        type=kinds.TYPE_MESSAGE,
        label=kinds.LABEL_REPEATED,
        type_name=".test.KVWrite",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.Updates"))


UPDATES = updates_message()


def hash_of(flags: bytes, writes: list[dict[str, Any]], previous: bytes) -> bytes:
    return sha256(
        bytes([len(flags)]) + flags + UPDATES(kvwrites=writes).SerializeToString() + previous
    ).digest()


def test_names_are_written_where_they_change() -> None:
    version = Version(256, 1)
    updates = UpdateBatch(
        public=(
            PublicUpdate("", "CHANNEL_CONFIG_ENV_BYTES", b"config", b"", version),
            PublicUpdate("b", "k2", None, b"", version),
            PublicUpdate("b", "k1", b"v", b"not covered", Version(0, 0)),
            PublicUpdate("a", "k", b"v", b"", version),
        ),
        hashed=(
            HashedUpdate("b", "y", b"\x02" * 32, None, version, True),
            HashedUpdate("b", "y", b"\x01" * 32, b"h" * 32, version, False),
            HashedUpdate("b", "x", b"\x03" * 32, b"h" * 32, version, False),
            HashedUpdate("c", "y", b"\x03" * 32, b"h" * 32, version, False),
        ),
    )
    encoded = bytes.fromhex("0201000101")
    expected = [
        {"namespace": "a", "key": b"k", "value": b"v", "version_bytes": encoded},
        {"namespace": "b", "key": b"k1", "value": b"v", "version_bytes": b"\x00\x00"},
        {"key": b"k2", "isDelete": True, "version_bytes": encoded},
        {"collection": "x", "key": b"\x03" * 32, "value": b"h" * 32, "version_bytes": encoded},
        {"collection": "y", "key": b"\x01" * 32, "value": b"h" * 32, "version_bytes": encoded},
        {"key": b"\x02" * 32, "isDelete": True, "version_bytes": encoded},
        {
            "namespace": "c",
            "collection": "y",
            "key": b"\x03" * 32,
            "value": b"h" * 32,
            "version_bytes": encoded,
        },
    ]

    assert commit_hash(b"\x00\x0b", updates, b"p" * 32) == hash_of(b"\x00\x0b", expected, b"p" * 32)


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=200), max_size=8), st.integers(0, 2**40))
def test_public_updates_are_protobuf_sorted_by_utf8(values: dict[str, bytes], number: int) -> None:
    def ordered(value: int) -> bytes:
        content = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return bytes([len(content)]) + content

    updates = UpdateBatch(
        tuple(PublicUpdate("n", key, value, b"", Version(number, 7)) for key, value in values.items())
    )
    expected = [
        {"key": key, "value": values[key.decode()], "version_bytes": ordered(number) + b"\x01\x07"}
        for key in sorted(key.encode() for key in values)
    ]
    if expected:
        expected[0]["namespace"] = "n"

    assert commit_hash(b"\x00", updates, b"") == hash_of(b"\x00", expected, b"")


def test_many_flags_have_a_longer_length() -> None:
    flags = bytes(300)

    assert commit_hash(flags, UpdateBatch(), b"") == sha256(b"\xac\x02" + flags).digest()


def test_a_commit_hash_is_written_and_read() -> None:
    block = new_block(1, b"", [b"x"])

    assert read_commit_hash(block) == b""
    assert read_commit_hash(set_commit_hash(block, b"h" * 32)) == b"h" * 32


def test_a_commit_hash_that_does_not_parse_is_refused() -> None:
    block = new_block(1, b"", [b"x"])
    block.metadata.metadata[4] = b"\xff"

    with pytest.raises(BlockError) as caught:
        read_commit_hash(block)

    assert caught.value.code == "BLOCK_MALFORMED"
