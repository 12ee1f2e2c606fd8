"""Commit hashes: a chain over what each block made of the state, by which peers can be compared.

Source: Fabric ``core/ledger/kvledger/kv_ledger.go · addBlockCommitHash``, ``txmgmt/txmgr/updates.proto``.
"""

from collections.abc import Iterable
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.block_structure import metadata, set_metadata
from fabric_protocol.errors import BlockError
from fabric_protocol.state import Version
from fabric_protocol.updates import UpdateBatch


class _Entry(NamedTuple):
    namespace: str
    collection: str
    key: bytes
    value: bytes | None
    version: Version


def commit_hash(flags: bytes, updates: UpdateBatch, previous: bytes) -> bytes:
    """Hash of what a block did to the state.

    Parameters:
        flags: the block's validation codes, one byte each.
        updates: its net updates; the channel configuration in namespace "" does not count.
        previous: commit hash of the block before; empty for block 1. Block 0 has none.

    Returns:
        SHA-256(uvarint(len(flags)) || flags || M(Updates) || previous).
    """
    return sha256(_uvarint(len(flags)) + flags + _updates_bytes(updates) + previous).digest()


def read_commit_hash(block: Any) -> bytes:
    """Commit hash that a peer wrote into a block; empty if there is none.

    Raises:
        BlockError: BLOCK_MALFORMED, if the metadata does not parse.
    """
    try:
        value: bytes = common_pb2.Metadata.FromString(metadata(block, common_pb2.COMMIT_HASH)).value
    except DecodeError as error:
        raise BlockError("BLOCK_MALFORMED", "The block's commit hash does not parse.") from error
    return value


def set_commit_hash(block: Any, value: bytes) -> Any:
    """Write a commit hash into a block, and return the same block."""
    set_metadata(block, common_pb2.COMMIT_HASH, common_pb2.Metadata(value=value).SerializeToString())
    return block


def _updates_bytes(updates: UpdateBatch) -> bytes:
    entries = [
        _Entry(update.namespace, "", update.key.encode(), update.value, update.version)
        for update in updates.public
        if update.namespace
    ]
    entries += [
        _Entry(hashed.namespace, hashed.collection, hashed.key_hash, hashed.value_hash, hashed.version)
        for hashed in updates.hashed
    ]
    # Strings compare by code point, which is the order of their UTF-8 bytes; "" puts public keys first.
    entries.sort(key=lambda entry: entry[:3])
    chunks: list[bytes] = []
    for namespace, in_namespace in groupby(entries, key=lambda entry: entry.namespace):
        _append_namespace(chunks, namespace, in_namespace)
    return b"".join(chunks)


def _append_namespace(chunks: list[bytes], namespace: str, entries: Iterable[_Entry]) -> None:
    # A name is written only where it changes.
    new_namespace, collection = namespace, ""
    for entry in entries:
        new_collection = entry.collection if entry.collection != collection else ""
        message = _entry_bytes(new_namespace, new_collection, entry)
        chunks.append(b"\x0a" + _uvarint(len(message)) + message)
        new_namespace, collection = "", entry.collection


def _entry_bytes(namespace: str, collection: str, entry: _Entry) -> bytes:
    return (
        _field(1, namespace.encode())
        + _field(2, collection.encode())
        + _field(3, entry.key)
        + (b"\x20\x01" if entry.value is None else b"")
        + _field(5, entry.value or b"")
        + _field(6, _ordered(entry.version.block) + _ordered(entry.version.transaction))
    )


def _field(number: int, content: bytes) -> bytes:
    if not content:
        return b""
    return bytes((number << 3 | 2,)) + _uvarint(len(content)) + content


def _ordered(number: int) -> bytes:
    content = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes((len(content),)) + content


def _uvarint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
