"""What the valid transactions of a block have changed so far.

Source: Fabric ``core/ledger/kvledger/txmgmt/validation/{tx_ops,types,validator}.go``. A write set with
several writes of one key, which no simulator makes, has the last one count here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fabric_protocol.rwset import CollectionSet, MetadataEntry, NamespaceSet, ReadWriteSet
from fabric_protocol.state import StateReader, Version, VersionedValue, encode_metadata
from fabric_protocol.updates import HashedUpdate, PublicUpdate, Purge, UpdateBatch


@dataclass(slots=True)
class _Change:
    """What one transaction does to one key."""

    is_written: bool = False
    value: bytes | None = None
    is_purge: bool = False
    metadata: bytes | None = None


class PendingUpdates:
    """Net updates of a block's transactions, in their order.

    Parameters:
        state: committed state, as it was before the block.
    """

    def __init__(self, state: StateReader) -> None:
        self._state = state
        self._public: dict[str, dict[str, PublicUpdate]] = {}
        self._hashed: dict[tuple[str, str], dict[bytes, HashedUpdate]] = {}
        self._purges: dict[tuple[str, str, bytes], Purge] = {}

    def has(self, namespace: str, key: str) -> bool:
        """Whether a public key was written, deleted, or had its metadata changed."""
        changed = self._public.get(namespace)
        return changed is not None and key in changed

    def has_hashed(self, namespace: str, collection: str, key_hash: bytes) -> bool:
        """Whether a private key was written, deleted, or had its metadata changed."""
        changed = self._hashed.get((namespace, collection))
        return changed is not None and key_hash in changed

    def in_range(self, namespace: str, start: str, end: str) -> dict[str, Version | None]:
        """Changed keys from ``start`` (included) to ``end`` (excluded, "" open); None for deleted ones."""
        return {
            key: update.version if update.value is not None else None
            for key, update in self._public.get(namespace, {}).items()
            if start <= key and (not end or key < end)
        }

    def apply(self, rwset: ReadWriteSet, version: Version) -> None:
        """Add what a valid transaction writes."""
        for namespace in rwset.namespaces:
            self._apply_public(namespace, version)
            for collection in namespace.collections:
                self._apply_hashed(namespace.namespace, collection, version)

    def put(self, update: PublicUpdate) -> None:
        """Add an update that no read-write set describes: the channel's configuration."""
        self._public.setdefault(update.namespace, {})[update.key] = update

    def batch(self) -> UpdateBatch:
        """Everything so far, sorted."""
        public = (update for changed in self._public.values() for update in changed.values())
        hashed = (update for changed in self._hashed.values() for update in changed.values())
        return UpdateBatch(
            tuple(sorted(public, key=lambda update: (update.namespace, update.key))),
            tuple(sorted(hashed, key=lambda update: (update.namespace, update.collection, update.key_hash))),
            tuple(purge for _, purge in sorted(self._purges.items())),
        )

    def _apply_public(self, namespace: NamespaceSet, version: Version) -> None:
        changes: dict[str, _Change] = {}
        for write in namespace.writes:
            changes[write.key] = _Change(True, None if write.deletes else write.value)
        for metadata_write in namespace.metadata_writes:
            changes.setdefault(metadata_write.key, _Change()).metadata = _encoded(metadata_write.entries)
        name = namespace.namespace
        pending = self._public.setdefault(name, {}) if changes else {}
        for key, change in changes.items():
            if change.is_written and change.value is None:
                pending[key] = PublicUpdate(name, key, None, b"", version)
                continue
            earlier = pending.get(key) or _committed(self._state.get(name, key))
            merged = _merge(change, earlier.value if earlier else None, earlier.metadata if earlier else b"")
            if merged is not None:
                pending[key] = PublicUpdate(name, key, merged[0], merged[1], version)

    def _apply_hashed(self, namespace: str, collection: CollectionSet, version: Version) -> None:
        changes: dict[bytes, _Change] = {}
        for write in collection.writes:
            value_hash = None if write.deletes else write.value_hash
            changes[write.key_hash] = _Change(True, value_hash, write.is_purge)
        for metadata_write in collection.metadata_writes:
            changes.setdefault(metadata_write.key_hash, _Change()).metadata = _encoded(metadata_write.entries)
        name = collection.name
        pending = self._hashed.setdefault((namespace, name), {}) if changes else {}
        for key, change in changes.items():
            if change.is_purge:
                self._purges[namespace, name, key] = Purge(namespace, name, key, version)
            if change.is_written and change.value is None:
                pending[key] = HashedUpdate(namespace, name, key, None, version, change.is_purge)
                continue
            update = pending.get(key)
            earlier = (
                _Earlier(update.value_hash, update.metadata)
                if update
                else _committed(self._state.get_hashed(namespace, name, key))
            )
            merged = _merge(change, earlier.value if earlier else None, earlier.metadata if earlier else b"")
            if merged is not None:
                pending[key] = HashedUpdate(namespace, name, key, merged[0], version, False, merged[1])


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A key before the transaction."""

    value: bytes | None
    metadata: bytes


def _committed(found: VersionedValue | None) -> _Earlier | None:
    return _Earlier(found.value, found.metadata) if found else None


def _merge(change: _Change, value: bytes | None, metadata: bytes) -> tuple[bytes, bytes] | None:
    """Value and metadata after a change; a new value keeps the metadata, a missing key gets none."""
    new_value = change.value if change.is_written else value
    if new_value is None:
        return None
    return new_value, metadata if change.metadata is None else change.metadata


def _encoded(entries: Iterable[MetadataEntry]) -> bytes:
    return encode_metadata((entry.name, entry.value) for entry in entries)
