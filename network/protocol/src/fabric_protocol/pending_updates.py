"""What the valid transactions of a block have changed so far.

Source: Fabric ``core/ledger/kvledger/txmgmt/validation/{tx_ops,types,validator}.go``. A write set with
several writes of one key, which no simulator makes, has the last one count here.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from fabric_protocol.rwset import CollectionSet, MetadataEntry, NamespaceSet, ReadWriteSet
from fabric_protocol.state import StateReader, Version, VersionedValue, encode_metadata
from fabric_protocol.updates import (
    HashedUpdate,
    PublicUpdate,
    Purge,
    UpdateBatch,
    hashed_updates_from,
    public_updates_from,
)

_Key = TypeVar("_Key", str, bytes)


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
        return UpdateBatch(
            tuple([changed[key] for _, changed in sorted(self._public.items()) for key in sorted(changed)]),
            tuple([changed[key] for _, changed in sorted(self._hashed.items()) for key in sorted(changed)]),
            tuple(purge for _, purge in sorted(self._purges.items())),
        )

    def _apply_public(self, namespace: NamespaceSet, version: Version) -> None:
        keys = namespace.written_keys
        if not keys:
            return
        name = namespace.namespace
        pending = self._public.setdefault(name, {})
        earlier = _committed(keys, self._state.get_many(name, keys))
        if pending:
            changed = [pending[key] for key in keys if key in pending]
            earlier.update({update.key: _Earlier(update.value, update.metadata) for update in changed})
        values = {write.key: None if write.deletes else write.value for write in namespace.writes}
        merged = _merged(values, _metadata(namespace.metadata_writes), earlier)
        updates = public_updates_from([(name, key, value, kept, version) for key, value, kept in merged])
        pending.update({update.key: update for update in updates})

    def _apply_hashed(self, namespace: str, collection: CollectionSet, version: Version) -> None:
        keys = collection.written_keys
        if not keys:
            return
        name = collection.name
        pending = self._hashed.setdefault((namespace, name), {})
        earlier = _committed(keys, self._state.get_many_hashed(namespace, name, keys))
        if pending:
            changed = [pending[key] for key in keys if key in pending]
            earlier.update(
                {update.key_hash: _Earlier(update.value_hash, update.metadata) for update in changed}
            )
        writes = {write.key_hash: write for write in collection.writes}
        values = {key: None if write.deletes else write.value_hash for key, write in writes.items()}
        purged = {key for key, write in writes.items() if write.is_purge}
        self._purges.update({(namespace, name, key): Purge(namespace, name, key, version) for key in purged})
        merged = _merged(values, _metadata(collection.metadata_writes), earlier)
        updates = hashed_updates_from(
            [
                (namespace, name, key, value, version, value is None and key in purged, kept)
                for key, value, kept in merged
            ]
        )
        pending.update({update.key_hash: update for update in updates})


class _Earlier(NamedTuple):
    """A key before a transaction; value None where it was deleted in this block."""

    value: bytes | None
    metadata: bytes


def _committed(keys: Iterable[_Key], found: Iterable[VersionedValue | None]) -> dict[_Key, _Earlier]:
    return {
        key: _Earlier(value.value, value.metadata)
        for key, value in zip(keys, found, strict=True)
        if value is not None
    }


def _merged(
    values: dict[_Key, bytes | None], metadata: dict[_Key, bytes], earlier: dict[_Key, _Earlier]
) -> list[tuple[_Key, bytes | None, bytes]]:
    """(key, value, metadata) after a transaction.

    A new value keeps the metadata, a deleted one takes it along, and a key that is missing gets none.
    """
    kept = {key: found.metadata for key, found in earlier.items()} | metadata
    merged = [(key, value, kept.get(key, b"") if value is not None else b"") for key, value in values.items()]
    renewed = ((key, earlier.get(key, _MISSING).value) for key in metadata if key not in values)
    return merged + [(key, value, metadata[key]) for key, value in renewed if value is not None]


def _metadata(writes: Iterable[tuple[_Key, tuple[MetadataEntry, ...]]]) -> dict[_Key, bytes]:
    return {key: encode_metadata([(entry.name, entry.value) for entry in entries]) for key, entries in writes}


_MISSING = _Earlier(None, b"")
