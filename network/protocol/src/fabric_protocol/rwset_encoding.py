"""Bytes of read-write sets, the same that Fabric's endorsers make.

Source: ledger/rwset/rwset.proto, ledger/rwset/kvrwset/kv_rwset.proto; forms as in Fabric's
``core/ledger/kvledger/txmgmt/rwsetutil/rwset_proto_util.go``.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import EncodingError
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
    hashed_writes_from,
    writes_from,
)
from fabric_protocol.state import Version
from fabric_protocol.wire import (
    bytes_field,
    nested,
    number_field,
    repeated,
    submessage,
    varint,
    version_message,
)

_WRITE: Final = attrgetter("key", "is_delete", "value")
_HASHED_WRITE: Final = attrgetter("key_hash", "is_delete", "value_hash", "is_purge")


def decode_rwset(data: bytes) -> ReadWriteSet:
    """Read M(TxReadWriteSet).

    Raises:
        EncodingError: BAD_RWSET, if it or anything inside does not parse.
    """
    try:
        message = rwset_pb2.TxReadWriteSet.FromString(data)
        return ReadWriteSet(tuple(_namespace(entry) for entry in message.ns_rwset))
    except DecodeError as error:
        raise EncodingError("BAD_RWSET", "The read-write set is not a TxReadWriteSet message.") from error


def encode_rwset(rwset: ReadWriteSet) -> bytes:
    """M(TxReadWriteSet), the bytes that are endorsed; the order of the entries is kept."""
    parts: list[bytes] = []
    for namespace in rwset.namespaces:
        parts += nested(2, _namespace_parts(namespace))
    return b"".join(parts)


def query_reads_bytes(reads: Iterable[Read]) -> bytes:
    """M(QueryReads), what a leaf of a range query's Merkle summary is the hash of."""
    message = kv_rwset_pb2.QueryReads()
    for read in reads:
        _add_read(message.kv_reads, read)
    return _encode(message)


def _encode(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def _version(message: Any) -> Version | None:
    if not message.HasField("version"):
        return None
    return Version(message.version.block_num, message.version.tx_num)


def _entries(message: Any) -> tuple[MetadataEntry, ...]:
    return tuple(MetadataEntry(entry.name, entry.value) for entry in message.entries)


def _namespace(message: Any) -> NamespaceSet:
    content = kv_rwset_pb2.KVRWSet.FromString(message.rwset)
    return NamespaceSet(
        message.namespace,
        tuple([Read(read.key, _version(read)) for read in content.reads]),
        tuple(_range_query(query) for query in content.range_queries_info),
        writes_from(map(_WRITE, content.writes)),
        tuple(MetadataWrite(write.key, _entries(write)) for write in content.metadata_writes),
        tuple(_collection(collection) for collection in message.collection_hashed_rwset),
    )


def _range_query(message: Any) -> RangeQuery:
    reads: tuple[Read, ...] | None = None
    merkle: MerkleSummary | None = None
    kind = message.WhichOneof("reads_info")
    if kind == "raw_reads":
        reads = tuple(Read(read.key, _version(read)) for read in message.raw_reads.kv_reads)
    elif kind == "reads_merkle_hashes":
        summary = message.reads_merkle_hashes
        merkle = MerkleSummary(summary.max_degree, summary.max_level, tuple(summary.max_level_hashes))
    return RangeQuery(message.start_key, message.end_key, message.itr_exhausted, reads, merkle)


def _collection(message: Any) -> CollectionSet:
    content = kv_rwset_pb2.HashedRWSet.FromString(message.hashed_rwset)
    return CollectionSet(
        message.collection_name,
        tuple(HashedRead(read.key_hash, _version(read)) for read in content.hashed_reads),
        hashed_writes_from(map(_HASHED_WRITE, content.hashed_writes)),
        tuple(HashedMetadataWrite(write.key_hash, _entries(write)) for write in content.metadata_writes),
        message.pvt_rwset_hash,
    )


def _namespace_parts(namespace: NamespaceSet) -> list[bytes]:
    """M(NsReadWriteSet), to be joined."""
    versions = _Versions(2)
    # Fields come in the order of their numbers.
    content = [
        repeated(1, [bytes_field(1, read.key.encode()) + versions[read.version] for read in namespace.reads]),
        _range_queries(namespace.range_queries) if namespace.range_queries else b"",
        writes_bytes(namespace.writes),
        _metadata_writes(namespace.metadata_writes) if namespace.metadata_writes else b"",
    ]
    return [
        bytes_field(1, namespace.namespace.encode()),
        *(nested(2, content) if any(content) else ()),
        repeated(3, [_collection_bytes(collection) for collection in namespace.collections]),
    ]


def writes_bytes(writes: Iterable[Write]) -> bytes:
    """Field `writes` of M(KVRWSet)."""
    parts: list[bytes] = []
    for key, is_delete, value in writes:
        encoded = key.encode()
        name, content = varint(len(encoded)), varint(len(value))
        if encoded and value and not is_delete:
            size = len(name) + len(encoded) + len(content) + len(value) + 2
            parts += (b"\x1a", varint(size), b"\n", name, encoded, b"\x1a", content, value)
        else:
            rare = bytes_field(1, encoded) + number_field(2, is_delete) + bytes_field(3, value)
            parts.append(submessage(3, rare))
    return b"".join(parts)


def _range_queries(queries: Iterable[RangeQuery]) -> bytes:
    """Field `range_queries_info` of M(KVRWSet)."""
    message = kv_rwset_pb2.KVRWSet()
    for query in queries:
        _add_range_query(message, query)
    return _encode(message)


def _metadata_writes(writes: Iterable[MetadataWrite]) -> bytes:
    """Field `metadata_writes` of M(KVRWSet)."""
    message = kv_rwset_pb2.KVRWSet()
    for write in writes:
        _add_entries(message.metadata_writes.add(key=write.key), write.entries)
    return _encode(message)


def _hashed_metadata_writes(writes: Iterable[HashedMetadataWrite]) -> bytes:
    """Field `metadata_writes` of M(HashedRWSet)."""
    message = kv_rwset_pb2.HashedRWSet()
    for write in writes:
        _add_entries(message.metadata_writes.add(key_hash=write.key_hash), write.entries)
    return _encode(message)


def _collection_bytes(collection: CollectionSet) -> bytes:
    versions = _Versions(2)
    content = b"".join(
        (
            repeated(
                1, [bytes_field(1, read.key_hash) + versions[read.version] for read in collection.reads]
            ),
            repeated(2, map(_hashed_write, collection.writes)),
            _hashed_metadata_writes(collection.metadata_writes) if collection.metadata_writes else b"",
        )
    )
    return b"".join(
        (
            bytes_field(1, collection.name.encode()),
            bytes_field(2, content),
            bytes_field(3, collection.private_hash),
        )
    )


def _hashed_write(write: HashedWrite) -> bytes:
    key_hash, is_delete, value_hash, is_purge = write
    if not is_delete and not is_purge and len(key_hash) == len(value_hash) == 32:
        return b"\n\x20%b\x1a\x20%b" % (key_hash, value_hash)
    return (
        bytes_field(1, write.key_hash)
        + number_field(2, write.is_delete)
        + bytes_field(3, write.value_hash)
        + number_field(4, write.is_purge)
    )


class _Versions(dict[Version | None, bytes]):
    """Versions as a field: many keys were written by few transactions."""

    def __init__(self, number: int) -> None:
        super().__init__({None: b""})
        self._number = number

    def __missing__(self, version: Version) -> bytes:
        self[version] = found = submessage(self._number, version_message(version))
        return found


def _add_range_query(content: Any, query: RangeQuery) -> None:
    message = content.range_queries_info.add(
        start_key=query.start_key, end_key=query.end_key, itr_exhausted=query.exhausted
    )
    if query.reads is not None:
        message.raw_reads.SetInParent()
        for read in query.reads:
            _add_read(message.raw_reads.kv_reads, read)
    elif query.merkle is not None:
        summary = message.reads_merkle_hashes
        summary.SetInParent()
        summary.max_degree = query.merkle.max_degree
        summary.max_level = query.merkle.max_level
        summary.max_level_hashes.extend(query.merkle.max_level_hashes)


def _add_read(reads: Any, read: Read) -> None:
    _set_version(reads.add(key=read.key), read.version)


def _set_version(message: Any, version: Version | None) -> None:
    if version is not None:
        message.version.SetInParent()
        message.version.block_num = version.block
        message.version.tx_num = version.transaction


def _add_entries(message: Any, entries: tuple[MetadataEntry, ...]) -> None:
    for entry in entries:
        message.entries.add(name=entry.name, value=entry.value)
