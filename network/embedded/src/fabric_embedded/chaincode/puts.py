"""Batches of nothing but puts, the form of nearly all large ones: read once for all endorsers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple

from fabric_protos.peer import chaincode_shim_pb2 as shim

# What is smaller is read as quickly as it is found again.
_LEAST_BYTES: Final = 4096
_MOST_BYTES: Final = 8 * 2**20
_KIND: Final = attrgetter("type", "collection")
_ENTRY: Final = attrgetter("key", "value")


class Puts(NamedTuple):
    """Values by key, the last of several of one key; `collection` is empty where they are public."""

    collection: str
    values: Mapping[str, bytes]


class KnownPuts:
    """The last batches that were read, by their bytes: organizations' chaincodes that agree send the same.

    Each still sends its own. What is private is not kept: it stays in memory no longer than it is needed.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Puts] = OrderedDict()
        self._bytes = 0

    def find(self, payload: bytes) -> Puts | None:
        """What these very bytes were read as before."""
        return self._known.get(payload) if len(payload) >= _LEAST_BYTES else None

    def remember(self, payload: bytes, puts: Puts) -> None:
        """Keep what a batch was read as, which must not change any more, in place of the oldest."""
        if puts.collection or payload in self._known or not _LEAST_BYTES <= len(payload) <= _MOST_BYTES:
            return
        self._known[payload] = puts
        self._bytes += len(payload)
        while self._bytes > _MOST_BYTES:
            self._bytes -= len(self._known.popitem(last=False)[0])


def read_puts(records: Any) -> Puts | None:
    """Read the records of a batch at once; None where they are not all puts to one place.

    Parameters:
        records: `WriteRecord`s.
    """
    listed = list(records)
    kinds = set(map(_KIND, listed))
    if len(kinds) != 1:
        return None
    kind, collection = kinds.pop()
    return Puts(collection, dict(map(_ENTRY, listed))) if kind == shim.WriteRecord.PUT_STATE else None
