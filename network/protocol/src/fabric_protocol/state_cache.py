"""A block's view of committed state: what several of its transactions need is asked for once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from fabric_protocol.expiry import Lifetimes
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.state import Key, StateReader, VersionedValue, metadata_among


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
        self._public: defaultdict[str, dict[str, VersionedValue | None]] = defaultdict(dict)
        self._hashed: defaultdict[tuple[str, str], dict[bytes, VersionedValue | None]] = defaultdict(dict)

        # By namespace and collection; "" is the public part.
        self._metadata: defaultdict[tuple[str, str], _KnownMetadata] = defaultdict(_KnownMetadata)

    def prefetch(self, rwsets: Iterable[ReadWriteSet]) -> None:
        """Fetch what judging these sets asks for: of public keys in one request a namespace."""
        read: defaultdict[str, set[str]] = defaultdict(set)
        written: defaultdict[str, set[str]] = defaultdict(set)
        for rwset in rwsets:
            for namespace in rwset.namespaces:
                read[namespace.namespace].update([read.key for read in namespace.reads])
                written[namespace.namespace].update(namespace.written_keys)
        for name, keys in read.items():
            self.get_many(name, sorted(keys))
        for name, keys in written.items():
            self.metadata_of(name, sorted(keys))

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        known = self._public[namespace]
        if key not in known:
            known[key] = self._state.get(namespace, key)
        return known[key]

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of ``keys``."""
        known = self._public[namespace]
        missing = [key for key in keys if key not in known]
        if missing:
            known.update(zip(missing, self._state.get_many(namespace, missing), strict=True))
        return [known[key] for key in keys]

    def scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, VersionedValue]]:
        """Public keys in order, straight from the state."""
        return self._state.scan(namespace, start, end)

    def get_hashed(self, namespace: str, collection: str, key_hash: bytes) -> VersionedValue | None:
        """Hash of a private value, with its version; None where the key is missing."""
        return self.get_many_hashed(namespace, collection, (key_hash,))[0]

    def get_many_hashed(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> list[VersionedValue | None]:
        """Hashes of several private values, in the order of ``key_hashes``."""
        known = self._hashed[namespace, collection]
        missing = [key_hash for key_hash in key_hashes if key_hash not in known]
        if missing:
            values = self._state.get_many_hashed(namespace, collection, missing)
            for key_hash, found in zip(missing, values, strict=True):
                if found is not None and self._has_expired(namespace, collection, found):
                    found = None
                known[key_hash] = found
        return [known[key_hash] for key_hash in key_hashes]

    def metadata_of(self, namespace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Metadata of those among some public keys that have any."""
        known = self._metadata[namespace, ""]
        return known.of(keys, lambda missing: self._state.metadata_of(namespace, missing))

    def hashed_metadata_of(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Metadata of those among some private keys that have any, by the hash of the key."""
        known = self._metadata[namespace, collection]
        return known.of(key_hashes, lambda missing: self._unexpired_metadata(namespace, collection, missing))

    def _unexpired_metadata(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        some = list(self._state.hashed_metadata_of(namespace, collection, key_hashes))
        return metadata_among(some, self.get_many_hashed(namespace, collection, some))

    def _has_expired(self, namespace: str, collection: str, found: VersionedValue) -> bool:
        return self._lifetimes.has_expired(namespace, collection, found.version.block, self._number)


class _KnownMetadata:
    """Metadata of the keys of one place, as far as it was asked for."""

    def __init__(self) -> None:
        self._asked: set[Any] = set()
        self._found: dict[Any, bytes] = {}

    def of(self, keys: Sequence[Key], ask: Callable[[list[Key]], dict[Key, bytes]]) -> dict[Key, bytes]:
        missing = [key for key in keys if key not in self._asked]
        if missing:
            self._found.update(ask(missing))
            self._asked.update(missing)
        return {key: self._found[key] for key in keys if key in self._found} if self._found else {}
