"""State in memory, for tests of contracts and for whoever replays a chain to verify it."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from fabric_protocol.expiry import Lifetimes
from fabric_protocol.state import StateReader, VersionedValue, metadata_among
from fabric_protocol.updates import HashedUpdate, PrivateUpdate, PublicUpdate, Purge, UpdateBatch

# How many keys that were deleted may stand in a list before it is made anew.
_SPARE = 1000


class _SortedTable:
    """Values by key, with ranges; code point order of `str` is the byte order of its UTF-8 form."""

    def __init__(self) -> None:
        self._values: dict[str, VersionedValue] = {}
        self._keys: list[str] = []
        self._is_sorted = True

    def get(self, key: str) -> VersionedValue | None:
        return self._values.get(key)

    def put(self, key: str, value: VersionedValue) -> None:
        if key not in self._values:
            self._keys.append(key)
            self._is_sorted = False
        self._values[key] = value
        if len(self._keys) > 2 * len(self._values) + _SPARE:
            self._ordered()

    def delete(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self._is_sorted = False

    def keys_with_hash(self, key_hash: bytes) -> list[str]:
        return [key for key in self._ordered() if sha256(key.encode()).digest() == key_hash]

    def scan(self, start: str, end: str) -> list[tuple[str, VersionedValue]]:
        keys = self._ordered()
        first = bisect_left(keys, start)
        last = bisect_left(keys, end) if end else len(keys)
        return [(key, self._values[key]) for key in keys[first:last]]

    def _ordered(self) -> list[str]:
        # Sorting when asked: one insertion into a long list moves half of it. A key that went and came back
        # stands in the list twice.
        if not self._is_sorted:
            self._keys = sorted(dict.fromkeys(key for key in self._keys if key in self._values))
            self._is_sorted = True
        return self._keys


class MemoryState:
    """A `StateReader` in memory. Scans are of the state at the moment they were asked for."""

    def __init__(self) -> None:
        self._public: dict[str, _SortedTable] = {}
        self._hashed: dict[tuple[str, str, bytes], VersionedValue] = {}

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        table = self._public.get(namespace)
        return table.get(key) if table else None

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of ``keys``."""
        table = self._public.get(namespace)
        return [table.get(key) if table else None for key in keys]

    def scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, VersionedValue]]:
        """Public keys in the order of their UTF-8 bytes; ``start`` included, ``end`` excluded, "" open."""
        table = self._public.get(namespace)
        return iter(table.scan(start, end) if table else [])

    def get_hashed(self, namespace: str, collection: str, key_hash: bytes) -> VersionedValue | None:
        """Hash of a private value, with its version; None where the key is missing."""
        return self._hashed.get((namespace, collection, key_hash))

    def get_many_hashed(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> list[VersionedValue | None]:
        """Hashes of several private values, in the order of ``key_hashes``."""
        return [self._hashed.get((namespace, collection, key_hash)) for key_hash in key_hashes]

    def metadata_of(self, namespace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Metadata of those among some public keys that have any."""
        return metadata_among(keys, self.get_many(namespace, keys))

    def hashed_metadata_of(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Metadata of those among some private keys that have any, by the hash of the key."""
        return metadata_among(key_hashes, self.get_many_hashed(namespace, collection, key_hashes))

    def apply(self, updates: UpdateBatch) -> None:
        """Commit what a block changed."""
        for update in updates.public:
            table = self._public.setdefault(update.namespace, _SortedTable())
            if update.value is None:
                table.delete(update.key)
            else:
                table.put(update.key, VersionedValue(update.value, update.metadata, update.version))
        for hashed in updates.hashed:
            name = (hashed.namespace, hashed.collection, hashed.key_hash)
            if hashed.value_hash is None:
                self._hashed.pop(name, None)
            else:
                self._hashed[name] = VersionedValue(hashed.value_hash, hashed.metadata, hashed.version)

    def content(self) -> UpdateBatch:
        """All keys and hashes, as the updates that would make them out of nothing."""
        return UpdateBatch(
            tuple(
                PublicUpdate(name, key, found.value, found.metadata, found.version)
                for name, table in sorted(self._public.items())
                for key, found in table.scan("", "")
            ),
            tuple(
                HashedUpdate(*names, found.value, found.version, False, found.metadata)
                for names, found in sorted(self._hashed.items())
            ),
        )

    def expire(self, number: int) -> None:
        """Drop the hashes that expire with the commit of block `number`, or did before."""
        lifetimes = Lifetimes(self)
        for (namespace, collection, key_hash), found in list(self._hashed.items()):
            if lifetimes.has_expired(namespace, collection, found.version.block, number + 1):
                del self._hashed[namespace, collection, key_hash]


class MemoryPrivateState:
    """A `PrivateReader` in memory: what one organization holds."""

    def __init__(self) -> None:
        self._collections: dict[tuple[str, str], _SortedTable] = {}

    def get(self, namespace: str, collection: str, key: str) -> VersionedValue | None:
        """Private value of a key; None where this organization has none."""
        table = self._collections.get((namespace, collection))
        return table.get(key) if table else None

    def scan(
        self, namespace: str, collection: str, start: str, end: str
    ) -> Iterator[tuple[str, VersionedValue]]:
        """Private keys in the order of their UTF-8 bytes; ``start`` included, ``end`` excluded, "" open."""
        table = self._collections.get((namespace, collection))
        return iter(table.scan(start, end) if table else [])

    def apply(self, updates: Iterable[PrivateUpdate], purges: Iterable[Purge] = ()) -> None:
        """Keep or drop the private values that a block changed, after dropping those that it purged."""
        for purge in purges:
            purged = self._collections.get((purge.namespace, purge.collection))
            if purged is not None:
                for key in purged.keys_with_hash(purge.key_hash):
                    purged.delete(key)
        for update in updates:
            table = self._collections.setdefault((update.namespace, update.collection), _SortedTable())
            if update.value is None:
                table.delete(update.key)
            else:
                table.put(update.key, VersionedValue(update.value, b"", update.version))

    def expire(self, number: int, state: StateReader) -> None:
        """Drop what expires with the commit of block `number` or did before, by definitions in `state`."""
        lifetimes = Lifetimes(state)
        for (namespace, collection), table in self._collections.items():
            for key, found in table.scan("", ""):
                if lifetimes.has_expired(namespace, collection, found.version.block, number + 1):
                    table.delete(key)
