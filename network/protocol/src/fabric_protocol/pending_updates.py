"""What the valid transactions of a block have changed so far.

Source: Fabric ``core/ledger/kvledger/txmgmt/validation/{tx_ops,types,validator}.go``. A write set with
several writes of one key, which no simulator makes, has the last one count here.
"""

from collections.abc import Iterable

from fabric_protocol.rwset import CollectionSet, MetadataEntry, NamespaceSet, ReadWriteSet
from fabric_protocol.state import Key, StateReader, Version, encode_metadata
from fabric_protocol.updates import (
    HashedUpdate,
    PublicUpdate,
    Purge,
    UpdateBatch,
    hashed_updates_from,
    public_updates_from,
)


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
        kept = self._state.metadata_of(name, keys)
        if pending:
            kept.update({key: pending[key].metadata for key in keys if key in pending})
        values = {write.key: None if write.deletes else write.value for write in namespace.writes}
        metadata = _metadata(namespace.metadata_writes)
        for key in metadata.keys() - values.keys():
            earlier = pending[key] if key in pending else self._state.get(name, key)
            # A key that is missing, or was deleted in this block, gets none.
            if earlier is not None and earlier.value is not None:
                values[key] = earlier.value
        updates = public_updates_from(
            [(name, key, value, new, version) for key, value, new in _with_metadata(values, kept | metadata)]
        )
        pending.update({update.key: update for update in updates})

    def _apply_hashed(self, namespace: str, collection: CollectionSet, version: Version) -> None:
        keys = collection.written_keys
        if not keys:
            return
        name = collection.name
        pending = self._hashed.setdefault((namespace, name), {})
        kept = self._state.hashed_metadata_of(namespace, name, keys)
        if pending:
            kept.update({key: pending[key].metadata for key in keys if key in pending})
        writes = {write.key_hash: write for write in collection.writes}
        values = {key: None if write.deletes else write.value_hash for key, write in writes.items()}
        purged = {key for key, write in writes.items() if write.is_purge}
        self._purges.update({(namespace, name, key): Purge(namespace, name, key, version) for key in purged})
        metadata = _metadata(collection.metadata_writes)
        for key in metadata.keys() - values.keys():
            earlier = self._hash_before(pending, namespace, name, key)
            if earlier is not None:
                values[key] = earlier
        updates = hashed_updates_from(
            [
                (namespace, name, key, value, version, value is None and key in purged, new)
                for key, value, new in _with_metadata(values, kept | metadata)
            ]
        )
        pending.update({update.key_hash: update for update in updates})

    def _hash_before(
        self, pending: dict[bytes, HashedUpdate], namespace: str, collection: str, key: bytes
    ) -> bytes | None:
        if key in pending:
            return pending[key].value_hash
        found = self._state.get_hashed(namespace, collection, key)
        return found.value if found is not None else None


def _with_metadata(
    values: dict[Key, bytes | None], metadata: dict[Key, bytes]
) -> list[tuple[Key, bytes | None, bytes]]:
    """(key, value, metadata) of keys that change; a deleted one takes its metadata along."""
    return [
        (key, value, metadata.get(key, b"") if value is not None else b"") for key, value in values.items()
    ]


def _metadata(writes: Iterable[tuple[Key, tuple[MetadataEntry, ...]]]) -> dict[Key, bytes]:
    return {key: encode_metadata([(entry.name, entry.value) for entry in entries]) for key, entries in writes}
