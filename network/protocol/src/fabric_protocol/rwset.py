"""Read-write sets: what a simulation read and wrote, as values.

Their bytes, which endorsers sign, are in `rwset_encoding`; the private part is in `private_rwset`.

Source: ledger/rwset/rwset.proto, ledger/rwset/kvrwset/kv_rwset.proto.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fabric_protocol.state import Version

_EMPTY_HASH = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


class Read(NamedTuple):
    """A public key that was read; ``version`` None where it was missing."""

    key: str
    version: Version | None


class Write(NamedTuple):
    """A key that was written or deleted."""

    key: str
    is_delete: bool
    value: bytes

    @property
    def deletes(self) -> bool:
        """Whether this removes the key: an empty value deletes too, whatever the flag (FAB-18386)."""
        return self.is_delete or not self.value


class MetadataEntry(NamedTuple):
    """One named piece of a key's metadata."""

    name: str
    value: bytes


class MetadataWrite(NamedTuple):
    """New metadata of a key, replacing all it had; no entries removes it."""

    key: str
    entries: tuple[MetadataEntry, ...]


class MerkleSummary(NamedTuple):
    """Summary of the reads of a long range query."""

    max_degree: int
    max_level: int
    max_level_hashes: tuple[bytes, ...]


class RangeQuery(NamedTuple):
    """A range that was read, so that a validator can find phantoms in it.

    ``end_key`` is the last key handed out, and belongs to the range, unless the range was ``exhausted``.
    """

    start_key: str
    end_key: str
    exhausted: bool
    reads: tuple[Read, ...] | None
    merkle: MerkleSummary | None


class HashedRead(NamedTuple):
    """A private key that was read, by the SHA-256 of its UTF-8 form."""

    key_hash: bytes
    version: Version | None


class HashedWrite(NamedTuple):
    """A private key that was written, deleted or purged; hashes are SHA-256."""

    key_hash: bytes
    is_delete: bool
    value_hash: bytes
    is_purge: bool

    @property
    def deletes(self) -> bool:
        """Whether this removes the key: no hash, or the hash of an empty value, deletes too (FAB-18386)."""
        return self.is_delete or not self.value_hash or self.value_hash == _EMPTY_HASH


class HashedMetadataWrite(NamedTuple):
    """New metadata of a private key."""

    key_hash: bytes
    entries: tuple[MetadataEntry, ...]


def writes_from(entries: Iterable[tuple[str, bool, bytes]]) -> tuple[Write, ...]:
    """Many `Write`: their own constructor takes three times as long, and a transaction has thousands."""
    return tuple(map(partial(tuple.__new__, Write), entries))


def hashed_writes_from(entries: Iterable[tuple[bytes, bool, bytes, bool]]) -> tuple[HashedWrite, ...]:
    """Many `HashedWrite`, as `writes_from`."""
    return tuple(map(partial(tuple.__new__, HashedWrite), entries))


@dataclass(frozen=True, slots=True)
class CollectionSet:
    """What a transaction did in one private collection, in hashes.

    ``private_hash`` is the SHA-256 of the collection's private write set, empty if it was only read.
    """

    name: str
    reads: tuple[HashedRead, ...] = ()
    writes: tuple[HashedWrite, ...] = ()
    metadata_writes: tuple[HashedMetadataWrite, ...] = ()
    private_hash: bytes = b""

    @property
    def written_keys(self) -> list[bytes]:
        """Hashes of the keys whose value or metadata is written; one that has both comes twice."""
        keys = [write[0] for write in self.writes]
        return keys + [write.key_hash for write in self.metadata_writes] if self.metadata_writes else keys


@dataclass(frozen=True, slots=True)
class NamespaceSet:
    """What a transaction did in one chaincode's namespace."""

    namespace: str
    reads: tuple[Read, ...] = ()
    range_queries: tuple[RangeQuery, ...] = ()
    writes: tuple[Write, ...] = ()
    metadata_writes: tuple[MetadataWrite, ...] = ()
    collections: tuple[CollectionSet, ...] = ()

    @property
    def written_keys(self) -> list[str]:
        """Public keys whose value or metadata is written; one that has both comes twice."""
        keys = [write[0] for write in self.writes]
        return keys + [write.key for write in self.metadata_writes] if self.metadata_writes else keys

    @property
    def is_written(self) -> bool:
        """Whether anything here changes state, so that this namespace's endorsement policy is asked."""
        return bool(
            self.writes
            or self.metadata_writes
            or any(collection.writes or collection.metadata_writes for collection in self.collections)
        )


@dataclass(frozen=True, slots=True)
class ReadWriteSet:
    """The public part of a simulation's results: keys in clear, private keys as hashes."""

    namespaces: tuple[NamespaceSet, ...] = ()
