"""The Merkle root of a sequence too long to be held: leaves come one by one, a few hashes are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_NODE = b"\x01"
_sha256 = hashlib.sha256


class CompactTree:
    """The same root as `merkle.root_of_hashes` over all leaf hashes added, in memory that grows with their
    logarithm: one hash for each perfect subtree (RFC 9162 §2.1.1).
    """

    __slots__ = ("_subtrees",)

    def __init__(self) -> None:
        self._subtrees: list[tuple[int, bytes]] = []

    def add(self, hashes: Iterable[bytes]) -> None:
        """Add leaf hashes in their order."""
        level, size = list(hashes), 1
        lone: list[tuple[int, bytes]] = []
        # Level by level, the smallest first: a waiting subtree of the same size is the level's first node.
        while level:
            if self._subtrees and self._subtrees[-1][0] == size:
                level.insert(0, self._subtrees.pop()[1])
            if len(level) % 2:
                lone.append((size, level.pop()))
            pairs = iter(level)
            level = [_sha256(_NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            size *= 2
        self._subtrees.extend(reversed(lone))

    def root(self) -> bytes:
        """The root over what was added; of nothing, SHA-256 of nothing."""
        if not self._subtrees:
            return hashlib.sha256(b"").digest()
        current = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            current = hashlib.sha256(_NODE + left + current).digest()
        return current
