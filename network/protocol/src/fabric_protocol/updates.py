"""What a block changes in state: the net effect of its valid transactions."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fabric_protocol.state import Version


class PublicUpdate(NamedTuple):
    """The last value that a block gives to a public key; ``value`` None deletes the key with its metadata."""

    namespace: str
    key: str
    value: bytes | None
    metadata: bytes
    version: Version


class HashedUpdate(NamedTuple):
    """The last hash that a block gives to a private key; ``value_hash`` None deletes it.

    ``is_purge`` says that the deletion is a purge: whoever holds the value removes its older versions too.
    """

    namespace: str
    collection: str
    key_hash: bytes
    value_hash: bytes | None
    version: Version
    is_purge: bool
    metadata: bytes = b""


def public_updates_from(
    entries: Iterable[tuple[str, str, bytes | None, bytes, Version]],
) -> list[PublicUpdate]:
    """Many `PublicUpdate`: their own constructor takes three times as long, and a block has thousands."""
    return list(map(partial(tuple.__new__, PublicUpdate), entries))


def hashed_updates_from(
    entries: Iterable[tuple[str, str, bytes, bytes | None, Version, bool, bytes]],
) -> list[HashedUpdate]:
    """Many `HashedUpdate`, as `public_updates_from`."""
    return list(map(partial(tuple.__new__, HashedUpdate), entries))


class Purge(NamedTuple):
    """A private key purged at a version: data of that key up to and including it must go, wherever kept.

    Listed also when a later transaction of the same block wrote the key again.
    """

    namespace: str
    collection: str
    key_hash: bytes
    version: Version


class PrivateUpdate(NamedTuple):
    """The last private value that a block gives to a key; ``value`` None deletes it."""

    namespace: str
    collection: str
    key: str
    value: bytes | None
    version: Version


@dataclass(frozen=True)
class UpdateBatch:
    """Net updates of one block.

    ``public`` is sorted by namespace and key, ``hashed`` by namespace, collection and key hash (bytes).
    The namespace "" holds the channel configuration.
    """

    public: tuple[PublicUpdate, ...] = ()
    hashed: tuple[HashedUpdate, ...] = ()
    purges: tuple[Purge, ...] = ()
