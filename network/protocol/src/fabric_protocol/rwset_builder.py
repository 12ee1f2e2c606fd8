"""Collects what a simulation reads and writes, and puts it into Fabric's canonical order.

Source: Fabric ``core/ledger/kvledger/txmgmt/rwsetutil/rwset_builder.go``.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from fabric_protocol.private_rwset import (
    PrivateCollection,
    PrivateNamespace,
    PrivateWriteSet,
    private_collection,
)
from fabric_protocol.rwset import (
    CollectionSet,
    HashedMetadataWrite,
    HashedRead,
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


def key_hash(key: str) -> bytes:
    """SHA-256 of a private key's UTF-8 form, as which it appears on the channel."""
    return sha256(key.encode()).digest()


@dataclass(slots=True)
class _Collection:
    """One collection's reads and writes, by plain key: Fabric sorts hashed entries by it."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)
    purges: set[str] = field(default_factory=set)
    metadata: dict[str, tuple[MetadataEntry, ...]] = field(default_factory=dict)

    def hashed(self, name: str, private: PrivateCollection | None) -> CollectionSet:
        writes = private.writes if private else ()
        return CollectionSet(
            name,
            tuple(HashedRead(key_hash(key), self.reads[key]) for key in sorted(self.reads)),
            hashed_writes_from(
                [
                    (key_hash(key), not value, sha256(value).digest() if value else b"", key in self.purges)
                    for key, _, value in writes
                ]
            ),
            tuple(HashedMetadataWrite(key_hash(key), self.metadata[key]) for key in sorted(self.metadata)),
            sha256(private.data).digest() if private else b"",
        )

    def private(self, name: str) -> PrivateCollection | None:
        if not self.writes and not self.metadata:
            return None
        return private_collection(name, _writes(self.writes), tuple(sorted(self.metadata)))


@dataclass(slots=True)
class _Namespace:
    """One namespace's reads and writes."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, tuple[MetadataEntry, ...]] = field(default_factory=dict)
    # The only entries that come out as they came: equal ones are in the same order.
    range_queries: OrderedDict[tuple[str, str, bool], RangeQuery] = field(default_factory=OrderedDict)
    collections: dict[str, _Collection] = field(default_factory=dict)

    def build(self, namespace: str) -> tuple[NamespaceSet, PrivateNamespace | None]:
        public_collections: list[CollectionSet] = []
        private_collections: list[PrivateCollection] = []
        for name in sorted(self.collections):
            private = self.collections[name].private(name)
            public_collections.append(self.collections[name].hashed(name, private))
            if private is not None:
                private_collections.append(private)
        public = NamespaceSet(
            namespace,
            tuple([Read(key, self.reads[key]) for key in sorted(self.reads)]),
            tuple(self.range_queries.values()),
            _writes(self.writes),
            tuple(MetadataWrite(key, self.metadata[key]) for key in sorted(self.metadata)),
            tuple(public_collections),
        )
        private_set = PrivateNamespace(namespace, tuple(private_collections)) if private_collections else None
        return public, private_set


@dataclass(slots=True)
class ReadWriteSetBuilder:
    """Collects reads and writes of one transaction; of several of one key the last counts.

    Two are equal if they have collected the same.

    Keys, namespaces and collections come out in the order of their UTF-8 bytes, which is the code point
    order that Python sorts by; hashed entries in the order of their plain keys.
    """

    _namespaces: dict[str, _Namespace] = field(default_factory=dict, init=False)

    def add_read(self, namespace: str, key: str, version: Version | None) -> None:
        """Note a public read; ``version`` None for a missing key."""
        self._namespace(namespace).reads[key] = version

    def add_range_query(self, namespace: str, query: RangeQuery) -> None:
        """Note a range query; one with the same bounds and exhaustion as an earlier one is dropped."""
        name = (query.start_key, query.end_key, query.exhausted)
        self._namespace(namespace).range_queries.setdefault(name, query)

    def add_write(self, namespace: str, key: str, value: bytes) -> None:
        """Note a public write; an empty value is a delete."""
        self._namespace(namespace).writes[key] = value

    def add_writes(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Note several public writes."""
        self._namespace(namespace).writes.update(values)

    def add_metadata_write(self, namespace: str, key: str, metadata: Mapping[str, bytes]) -> None:
        """Note a key's new metadata, replacing all of it; empty removes it."""
        self._namespace(namespace).metadata[key] = _entries(metadata)

    def add_hashed_read(self, namespace: str, collection: str, key: str, version: Version | None) -> None:
        """Note a read of a private key or of its hash."""
        self._collection(namespace, collection).reads[key] = version

    def add_private_write(self, namespace: str, collection: str, key: str, value: bytes) -> None:
        """Note a private write; an empty value is a delete."""
        self.add_private_writes(namespace, collection, {key: value})

    def add_private_writes(self, namespace: str, collection: str, values: Mapping[str, bytes]) -> None:
        """Note several private writes."""
        entry = self._collection(namespace, collection)
        entry.writes.update(values)
        entry.purges.difference_update(values)

    def add_private_purge(self, namespace: str, collection: str, key: str) -> None:
        """Note a private delete that also removes older versions wherever they are kept."""
        self.add_private_write(namespace, collection, key, b"")
        self._collection(namespace, collection).purges.add(key)

    def add_private_metadata_write(
        self, namespace: str, collection: str, key: str, metadata: Mapping[str, bytes]
    ) -> None:
        """Note a private key's new metadata, which is public and stored with the key's hash."""
        self._collection(namespace, collection).metadata[key] = _entries(metadata)

    def build(self) -> tuple[ReadWriteSet, PrivateWriteSet | None]:
        """The public and the private part; no private part if nothing private was written."""
        public: list[NamespaceSet] = []
        private: list[PrivateNamespace] = []
        for name in sorted(self._namespaces):
            public_set, private_set = self._namespaces[name].build(name)
            public.append(public_set)
            if private_set is not None:
                private.append(private_set)
        return ReadWriteSet(tuple(public)), PrivateWriteSet(tuple(private)) if private else None

    def _namespace(self, name: str) -> _Namespace:
        namespace = self._namespaces.get(name)
        if namespace is None:
            namespace = self._namespaces[name] = _Namespace()
        return namespace

    def _collection(self, namespace: str, name: str) -> _Collection:
        return self._namespace(namespace).collections.setdefault(name, _Collection())


def _writes(values: Mapping[str, bytes]) -> tuple[Write, ...]:
    return writes_from([(key, not value, value) for key, value in sorted(values.items())])


def _entries(metadata: Mapping[str, bytes]) -> tuple[MetadataEntry, ...]:
    return tuple(MetadataEntry(name, metadata[name]) for name in sorted(metadata))
