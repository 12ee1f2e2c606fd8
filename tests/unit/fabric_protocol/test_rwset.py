from hashlib import sha256
from typing import Any

import pytest
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.errors import EncodingError
from fabric_protocol.private_rwset import (
    PrivateNamespace,
    PrivateWriteSet,
    decode_private_rwset,
    encode_private_rwset,
    private_collection,
)
from fabric_protocol.rwset import (
    CollectionSet,
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    MerkleSummary,
    MetadataEntry,
    MetadataWrite,
    NamespaceSet,
    RangeQuery,
    Read,
    ReadWriteSet,
    Write,
)
from fabric_protocol.rwset_builder import ReadWriteSetBuilder, key_hash
from fabric_protocol.rwset_encoding import decode_rwset, encode_rwset
from fabric_protocol.state import Version

NUMBERS = st.integers(0, 2**63)
VERSIONS = st.none() | st.builds(Version, NUMBERS, NUMBERS)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
BYTES = st.binary(max_size=4)
HASHES = BYTES | st.binary(min_size=32, max_size=32)


def several(strategy: st.SearchStrategy) -> st.SearchStrategy:  # type: ignore[type-arg]
    return st.lists(strategy, max_size=2).map(tuple)


READS = st.builds(Read, TEXT, VERSIONS)
ENTRIES = several(st.builds(MetadataEntry, TEXT, BYTES))
SUMMARIES = st.builds(MerkleSummary, st.integers(2, 50), st.integers(1, 9), several(BYTES))
WRITES = st.builds(Write, TEXT, st.booleans(), BYTES)
QUERIES = st.one_of(
    st.builds(RangeQuery, TEXT, TEXT, st.booleans(), st.none() | several(READS), st.none()),
    st.builds(RangeQuery, TEXT, TEXT, st.booleans(), st.none(), SUMMARIES),
)
COLLECTIONS = st.builds(
    CollectionSet,
    TEXT,
    several(st.builds(HashedRead, BYTES, VERSIONS)),
    several(st.builds(HashedWrite, HASHES, st.booleans(), HASHES, st.booleans())),
    several(st.builds(HashedMetadataWrite, BYTES, ENTRIES)),
    BYTES,
)
NAMESPACES = st.builds(
    NamespaceSet,
    TEXT,
    several(READS),
    several(QUERIES),
    several(WRITES),
    several(st.builds(MetadataWrite, TEXT, ENTRIES)),
    several(COLLECTIONS),
)


@given(several(NAMESPACES).map(ReadWriteSet))
def test_a_read_write_set_is_read_as_written(rwset: ReadWriteSet) -> None:
    assert decode_rwset(encode_rwset(rwset)) == rwset


@given(several(NAMESPACES).map(ReadWriteSet))
def test_the_bytes_are_those_that_protobuf_writes(rwset: ReadWriteSet) -> None:
    message = rwset_pb2.TxReadWriteSet.FromString(encode_rwset(rwset))
    for namespace in message.ns_rwset:
        assert again(kv_rwset_pb2.KVRWSet, namespace.rwset) == namespace.rwset
        for collection in namespace.collection_hashed_rwset:
            assert again(kv_rwset_pb2.HashedRWSet, collection.hashed_rwset) == collection.hashed_rwset

    assert message.SerializeToString(deterministic=True) == encode_rwset(rwset)


def again(kind: Any, data: bytes) -> bytes:
    encoded: bytes = kind.FromString(data).SerializeToString(deterministic=True)
    return encoded


@pytest.mark.parametrize("size", [1, 127, 128, 16_383, 16_384, 70_000])
def test_long_values_are_written_as_protobuf_does(size: int) -> None:
    rwset = ReadWriteSet((NamespaceSet("n", writes=(Write("k" * size, False, b"v" * size),)),))

    content = rwset_pb2.TxReadWriteSet.FromString(encode_rwset(rwset)).ns_rwset[0].rwset
    assert again(kv_rwset_pb2.KVRWSet, content) == content
    assert decode_rwset(encode_rwset(rwset)) == rwset


@given(several(st.builds(private_collection, TEXT, several(WRITES), several(TEXT))))
def test_a_private_set_is_read_as_written(collections: tuple) -> None:  # type: ignore[type-arg]
    rwset = PrivateWriteSet((PrivateNamespace("n", collections),))

    assert decode_private_rwset(encode_private_rwset(rwset)) == rwset


@pytest.mark.parametrize(
    "data", [b"\xff", b"\x12\x02\x12\xff", b"\x12\x03\x12\x01\xff", b"\x12\x05\x1a\x03\x12\x01\xff"]
)
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(EncodingError) as caught:
        decode_rwset(data)
    assert caught.value.code == "BAD_RWSET"


@pytest.mark.parametrize("data", [b"\xff", b"\x12\x05\x12\x03\x12\x01\xff"])
def test_private_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(EncodingError) as caught:
        decode_private_rwset(data)
    assert caught.value.code == "BAD_PRIVATE_RWSET"


def test_a_missing_key_and_version_zero_differ_in_bytes() -> None:
    missing = ReadWriteSet((NamespaceSet("n", (Read("k", None),)),))
    first = ReadWriteSet((NamespaceSet("n", (Read("k", Version(0, 0)),)),))

    assert encode_rwset(missing).hex() == "120a" + "0a016e" + "1205" + "0a03" + "0a016b"
    assert encode_rwset(first).hex() == "120c" + "0a016e" + "1207" + "0a05" + "0a016b" + "1200"


def test_empty_values_delete_whatever_the_flag() -> None:
    assert Write("k", False, b"").deletes
    assert Write("k", True, b"v").deletes
    assert not Write("k", False, b"v").deletes
    assert HashedWrite(b"k", False, b"", False).deletes
    assert HashedWrite(b"k", False, key_hash(""), False).deletes
    assert not HashedWrite(b"k", False, key_hash("v"), False).deletes


@given(st.lists(st.tuples(TEXT, TEXT, BYTES), max_size=12))
def test_everything_comes_out_sorted_by_utf8_and_the_last_write_counts(
    writes: list[tuple[str, str, bytes]],
) -> None:
    builder = ReadWriteSetBuilder()
    for namespace, key, value in writes:
        builder.add_read(namespace, key, Version(1, 1))
        builder.add_write(namespace, key, value)

    rwset, private = builder.build()

    assert private is None
    names = [namespace.namespace.encode() for namespace in rwset.namespaces]
    assert names == sorted({namespace.encode() for namespace, _, _ in writes})
    last = {(namespace, key): value for namespace, key, value in writes}
    for entry in rwset.namespaces:
        keys = [write.key.encode() for write in entry.writes]
        assert keys == [read.key.encode() for read in entry.reads] == sorted(keys)
        for write in entry.writes:
            value = last[entry.namespace, write.key]
            assert write == Write(write.key, value == b"", value)


def test_hashed_entries_are_sorted_by_plain_key() -> None:
    builder = ReadWriteSetBuilder()
    keys = [f"key{number:02}" for number in range(20)]
    for key in reversed(keys):
        builder.add_hashed_read("n", "c", key, None)
        builder.add_private_write("n", "c", key, b"v")
        builder.add_private_metadata_write("n", "c", key, {"b": b"2", "a": b"1"})

    rwset, private = builder.build()

    collection = rwset.namespaces[0].collections[0]
    hashes = [key_hash(key) for key in keys]
    assert hashes != sorted(hashes)
    assert [read.key_hash for read in collection.reads] == hashes
    assert [write.key_hash for write in collection.writes] == hashes
    assert [write.key_hash for write in collection.metadata_writes] == hashes
    assert collection.metadata_writes[0].entries == (MetadataEntry("a", b"1"), MetadataEntry("b", b"2"))
    assert private is not None
    assert [write.key for write in private.namespaces[0].collections[0].writes] == keys


def test_a_purge_is_a_delete_with_a_mark_until_the_key_is_written_again() -> None:
    builder = ReadWriteSetBuilder()
    builder.add_private_purge("n", "c", "purged")
    builder.add_private_purge("n", "c", "written")
    builder.add_private_write("n", "c", "written", b"v")
    builder.add_private_write("n", "c", "deleted", b"")

    rwset, private = builder.build()

    deleted, purged, written = rwset.namespaces[0].collections[0].writes
    assert deleted == HashedWrite(key_hash("deleted"), True, b"", False)
    assert purged == HashedWrite(key_hash("purged"), True, b"", True)
    assert written == HashedWrite(key_hash("written"), False, key_hash("v"), False)
    assert private is not None
    data = private.namespaces[0].collections[0].data
    assert rwset.namespaces[0].collections[0].private_hash == sha256(data).digest()


def test_a_collection_that_was_only_read_has_no_private_hash() -> None:
    builder = ReadWriteSetBuilder()
    builder.add_hashed_read("n", "c", "k", None)

    rwset, private = builder.build()

    assert private is None
    assert rwset.namespaces[0].collections[0].private_hash == b""
    assert not rwset.namespaces[0].is_written


def test_a_repeated_range_query_is_dropped() -> None:
    builder = ReadWriteSetBuilder()
    first = RangeQuery("a", "b", True, (Read("a", None),), None)
    other = RangeQuery("a", "b", False, None, None)
    for query in (first, first._replace(reads=None), other):
        builder.add_range_query("n", query)

    assert builder.build()[0].namespaces[0].range_queries == (first, other)


@given(several(NAMESPACES).map(ReadWriteSet), st.integers(0, 20_000), st.integers(0, 2))
def test_bytes_are_those_of_the_protobuf_library(rwset: ReadWriteSet, length: int, repeats: int) -> None:
    long = NamespaceSet("long", writes=(Write("k" * length, False, b"v" * length),) * repeats)
    encoded = encode_rwset(ReadWriteSet((*rwset.namespaces, long)))
    message = rwset_pb2.TxReadWriteSet.FromString(encoded)
    assert message.SerializeToString(deterministic=True) == encoded
    for namespace in message.ns_rwset:
        content = kv_rwset_pb2.KVRWSet.FromString(namespace.rwset)
        assert content.SerializeToString(deterministic=True) == namespace.rwset
        for collection in namespace.collection_hashed_rwset:
            hashed = kv_rwset_pb2.HashedRWSet.FromString(collection.hashed_rwset)
            assert hashed.SerializeToString(deterministic=True) == collection.hashed_rwset


@given(st.lists(WRITES, max_size=5), st.lists(TEXT, max_size=3))
def test_private_bytes_are_those_of_the_protobuf_library(writes: list[Write], keys: list[str]) -> None:
    data = private_collection("c", tuple(writes), tuple(keys)).data
    assert kv_rwset_pb2.KVRWSet.FromString(data).SerializeToString(deterministic=True) == data
