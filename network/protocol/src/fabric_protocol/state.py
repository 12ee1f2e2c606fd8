"""What simulation and validation ask of a state database, and the values that they get from it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

Key = TypeVar("Key", str, bytes)
"""A public key, or the hash of a private one."""

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"
"""Metadata entry that holds a key-level endorsement policy, M(SignaturePolicyEnvelope)."""


class Version(NamedTuple):
    """Where a value was written: number of the block, index of the transaction in it."""

    block: int
    transaction: int

    def __str__(self) -> str:
        return f"{{BlockNum: {self.block}, TxNum: {self.transaction}}}"


class VersionedValue(NamedTuple):
    """A committed value.

    ``value`` is the SHA-256 of the private value where it stands for a hashed key. ``metadata`` is
    M(KVMetadataWrite) without its key, or empty.
    """

    value: bytes
    metadata: bytes
    version: Version


class StateReader(Protocol):
    """Committed public state and hashes of private state, as they are before a block."""

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        ...

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of ``keys``."""
        ...

    def scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, VersionedValue]]:
        """Public keys in the order of their UTF-8 bytes.

        ``start`` is included ("" is the first key), ``end`` is excluded ("" is after the last key).
        """
        ...

    def get_hashed(self, namespace: str, collection: str, key_hash: bytes) -> VersionedValue | None:
        """Hash of a private value, with its version; None where the key is missing."""
        ...

    def get_many_hashed(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> list[VersionedValue | None]:
        """Hashes of several private values, in the order of ``key_hashes``."""
        ...

    def metadata_of(self, namespace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Metadata of those among some public keys that have any."""
        ...

    def hashed_metadata_of(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Metadata of those among some private keys that have any, by the hash of the key."""
        ...


class PrivateReader(Protocol):
    """The private data that one organization holds itself."""

    def get(self, namespace: str, collection: str, key: str) -> VersionedValue | None:
        """Private value of a key; None where this organization has none."""
        ...

    def scan(
        self, namespace: str, collection: str, start: str, end: str
    ) -> Iterator[tuple[str, VersionedValue]]:
        """Private keys in the order of their UTF-8 bytes; bounds as in `StateReader.scan`."""
        ...


def encode_metadata(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """Metadata of a key as it is stored in state.

    Parameters:
        entries: (name, value) pairs; their order is kept.

    Returns:
        M(KVMetadataWrite) without key; empty for no entries.
    """
    message = kv_rwset_pb2.KVMetadataWrite()
    for name, value in entries:
        message.entries.add(name=name, value=value)
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def metadata_among(keys: Sequence[Key], found: Sequence[VersionedValue | None]) -> dict[Key, bytes]:
    """Metadata of those among some keys that have any, given what was found of each."""
    return {
        key: value.metadata
        for key, value in zip(keys, found, strict=True)
        if value is not None and value.metadata
    }


def key_policies(keys: Iterable[Key], metadata: Mapping[Key, bytes]) -> set[bytes]:
    """The different key-level endorsement policies of some keys; empty bytes among them for keys without.

    Parameters:
        keys: of one namespace or collection.
        metadata: of those that have any.
    """
    different = set(metadata.values())
    if not all(key in metadata for key in keys):
        different.add(b"")
    return {decode_metadata(found).get(VALIDATION_PARAMETER, b"") for found in different}


def decode_metadata(metadata: bytes) -> Mapping[str, bytes]:
    """Names and values of a key's stored metadata (the inverse of `encode_metadata`)."""
    if not metadata:
        return {}
    message = kv_rwset_pb2.KVMetadataWrite.FromString(metadata)
    return {entry.name: entry.value for entry in message.entries}
