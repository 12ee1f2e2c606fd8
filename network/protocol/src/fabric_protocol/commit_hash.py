"""Commit hashes: a chain over what each block made of the state, by which peers can be compared.

Source: Fabric ``core/ledger/kvledger/kv_ledger.go · addBlockCommitHash``, ``txmgmt/txmgr/updates.proto``.
"""

from hashlib import sha256
from typing import Any

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.block_structure import metadata, set_metadata
from fabric_protocol.errors import BlockError
from fabric_protocol.state import Version
from fabric_protocol.updates import UpdateBatch
from fabric_protocol.wire import bytes_field, repeated, varint

_Entry = tuple[str, str, bytes, bytes | None, Version]
"""Namespace, collection ("" for a public key), key or its hash, value or its hash (None: gone), version."""

_IS_DELETE = b"\x20\x01"


def commit_hash(flags: bytes, updates: UpdateBatch, previous: bytes) -> bytes:
    """Hash of what a block did to the state.

    Parameters:
        flags: the block's validation codes, one byte each.
        updates: its net updates; the channel configuration in namespace "" does not count.
        previous: commit hash of the block before; empty for block 1. Block 0 has none.

    Returns:
        SHA-256(uvarint(len(flags)) || flags || M(Updates) || previous).
    """
    return sha256(varint(len(flags)) + flags + _updates_bytes(updates) + previous).digest()


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
    entries: list[_Entry] = [
        (namespace, "", key.encode(), value, version)
        for namespace, key, value, _, version in updates.public
        if namespace
    ]
    entries += [
        (hashed.namespace, hashed.collection, hashed.key_hash, hashed.value_hash, hashed.version)
        for hashed in updates.hashed
    ]
    # Strings compare by code point, which is the order of their UTF-8 bytes; "" puts public keys first.
    # No two are of one key, so that what stands behind it is never compared.
    entries.sort()
    messages: list[bytes] = []
    versions: dict[Version, bytes] = {}
    last_namespace = last_collection = ""
    for namespace, collection, key, value, version in entries:
        # A name is written only where it changes; a new namespace starts without a collection.
        names = b""
        if namespace != last_namespace:
            names, last_namespace, last_collection = bytes_field(1, namespace.encode()), namespace, ""
        if collection != last_collection:
            names, last_collection = names + bytes_field(2, collection.encode()), collection
        place = versions.get(version)
        if place is None:
            place = versions[version] = bytes_field(
                6, _ordered(version.block) + _ordered(version.transaction)
            )
        if key and value:
            fields = (names, varint(len(key)), key, varint(len(value)), value, place)
            messages.append(b"%b\x1a%b%b\x2a%b%b%b" % fields)
        else:
            content = _IS_DELETE if value is None else bytes_field(5, value)
            messages.append(names + bytes_field(3, key) + content + place)
    return repeated(1, messages)


def _ordered(number: int) -> bytes:
    content = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes((len(content),)) + content
