"""Private write sets: what a simulation wrote to private collections, in clear; they never enter a block.

Source: ledger/rwset/rwset.proto (``TxPvtReadWriteSet``).
"""

from dataclasses import dataclass
from typing import Any

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import EncodingError
from fabric_protocol.rwset import Write, writes_from
from fabric_protocol.rwset_encoding import writes_bytes


@dataclass(frozen=True, slots=True)
class PrivateCollection:
    """Private writes of one collection, in clear.

    ``metadata_keys`` are keys whose metadata changed: their version moves even if no value was written.
    ``data`` is the message's bytes as they were hashed.
    """

    name: str
    writes: tuple[Write, ...]
    metadata_keys: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class PrivateNamespace:
    """Private writes of one chaincode."""

    namespace: str
    collections: tuple[PrivateCollection, ...]


@dataclass(frozen=True, slots=True)
class PrivateWriteSet:
    """The private part of a simulation's results, which never enters a block."""

    namespaces: tuple[PrivateNamespace, ...]


def decode_private_rwset(data: bytes) -> PrivateWriteSet:
    """Read M(TxPvtReadWriteSet).

    Raises:
        EncodingError: BAD_PRIVATE_RWSET, if it or anything inside does not parse.
    """
    try:
        message = rwset_pb2.TxPvtReadWriteSet.FromString(data)
        return PrivateWriteSet(tuple(_private_namespace(entry) for entry in message.ns_pvt_rwset))
    except DecodeError as error:
        raise EncodingError(
            "BAD_PRIVATE_RWSET", "The private write set is not a TxPvtReadWriteSet message."
        ) from error


def encode_private_rwset(rwset: PrivateWriteSet) -> bytes:
    """M(TxPvtReadWriteSet); each collection's own bytes are kept."""
    message = rwset_pb2.TxPvtReadWriteSet()
    for namespace in rwset.namespaces:
        entry = message.ns_pvt_rwset.add(namespace=namespace.namespace)
        for collection in namespace.collections:
            entry.collection_pvt_rwset.add(collection_name=collection.name, rwset=collection.data)
    return _encode(message)


def private_collection(
    name: str, writes: tuple[Write, ...], metadata_keys: tuple[str, ...]
) -> PrivateCollection:
    """A collection's private writes with their bytes, M(KVRWSet); order is kept."""
    metadata = kv_rwset_pb2.KVRWSet()
    for key in metadata_keys:
        metadata.metadata_writes.add(key=key)
    return PrivateCollection(name, writes, metadata_keys, writes_bytes(writes) + _encode(metadata))


def _private_namespace(message: Any) -> PrivateNamespace:
    collections = []
    for collection in message.collection_pvt_rwset:
        content = kv_rwset_pb2.KVRWSet.FromString(collection.rwset)
        collections.append(
            PrivateCollection(
                collection.collection_name,
                writes_from([(write.key, write.is_delete, write.value) for write in content.writes]),
                tuple(write.key for write in content.metadata_writes),
                collection.rwset,
            )
        )
    return PrivateNamespace(message.namespace, tuple(collections))


def _encode(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded
