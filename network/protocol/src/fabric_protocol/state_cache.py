"""A block's view of committed state: what several of its transactions need is asked for once."""

from collections.abc import Iterable, Iterator, Sequence

from fabric_protocol.expiry import Lifetimes
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.state import StateReader, VersionedValue


class StateCache:
    """A `StateReader` that remembers single keys for as long as one block is validated.

    Parameters:
        state: committed state; it must not change meanwhile.
        number: of the block; hashes of private data that expired before it are absent.
    """

    def __init__(self, state: StateReader, number: int) -> None:
        self._state = state
        self._number = number
        self._lifetimes = Lifetimes(self)
        self._public: dict[tuple[str, str], VersionedValue | None] = {}
        self._hashed: dict[tuple[str, str, bytes], VersionedValue | None] = {}

    def prefetch(self, rwsets: Iterable[ReadWriteSet]) -> None:
        """Fetch every public key that these sets read or write, in one request a namespace."""
        wanted: dict[str, set[str]] = {}
        for rwset in rwsets:
            for namespace in rwset.namespaces:
                keys = wanted.setdefault(namespace.namespace, set())
                keys.update([read.key for read in namespace.reads])
                keys.update([write.key for write in namespace.writes])
                keys.update([write.key for write in namespace.metadata_writes])
        for name, keys in wanted.items():
            ordered = sorted(keys)
            for key, found in zip(ordered, self._state.get_many(name, ordered), strict=True):
                self._public[name, key] = found

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        name = (namespace, key)
        if name not in self._public:
            self._public[name] = self._state.get(namespace, key)
        return self._public[name]

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of ``keys``."""
        missing = [key for key in keys if (namespace, key) not in self._public]
        if missing:
            for key, found in zip(missing, self._state.get_many(namespace, missing), strict=True):
                self._public[namespace, key] = found
        return [self._public[namespace, key] for key in keys]

    def scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, VersionedValue]]:
        """Public keys in order, straight from the state."""
        return self._state.scan(namespace, start, end)

    def get_hashed(self, namespace: str, collection: str, key_hash: bytes) -> VersionedValue | None:
        """Hash of a private value, with its version; None where the key is missing."""
        name = (namespace, collection, key_hash)
        if name not in self._hashed:
            found = self._state.get_hashed(namespace, collection, key_hash)
            if found is not None and self._has_expired(namespace, collection, found):
                found = None
            self._hashed[name] = found
        return self._hashed[name]

    def _has_expired(self, namespace: str, collection: str, found: VersionedValue) -> bool:
        return self._lifetimes.has_expired(namespace, collection, found.version.block, self._number)
