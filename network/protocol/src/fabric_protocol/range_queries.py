"""Summaries of range queries: raw reads, or above fifty a Merkle tree's top level.

Source: Fabric ``core/ledger/kvledger/txmgmt/rwsetutil/query_results_helper.go``.
"""

from hashlib import sha256

from fabric_protocol.errors import EncodingError
from fabric_protocol.rwset import MerkleSummary, Read
from fabric_protocol.rwset_encoding import query_reads_bytes

MAX_DEGREE = 50
"""Most reads that a range query lists one by one, and most nodes of a level of its Merkle tree."""


class RangeReads:
    """Collects the reads of one range query, in their order.

    Parameters:
        max_degree: widest level of the tree, at least 2; a simulation uses `MAX_DEGREE`, a validator
            what the transaction says.

    Raises:
        EncodingError: BAD_RWSET for a degree below 2.
    """

    def __init__(self, max_degree: int = MAX_DEGREE) -> None:
        if max_degree < 2:
            raise EncodingError(
                "BAD_RWSET", f"A range query's tree has degree {max_degree}, expected 2 or more."
            )
        self._max_degree = max_degree
        self._pending: list[Read] = []
        self._levels: dict[int, list[bytes]] = {}
        self._max_level = 1

    def add(self, read: Read) -> None:
        """Add the next read."""
        self._pending.append(read)
        if len(self._pending) > self._max_degree:
            self._hash_pending()

    def summary(self) -> tuple[tuple[Read, ...] | None, MerkleSummary | None]:
        """Finish: (reads, None) for a short query, (None, summary) for a long one, (None, None) for none."""
        if not self._levels:
            return (tuple(self._pending) or None), None
        if self._pending:
            self._hash_pending()
        self._fold()
        hashes = self._levels[self._max_level]
        return None, MerkleSummary(self._max_degree, self._max_level, tuple(hashes))

    def _hash_pending(self) -> None:
        level = 1
        node = sha256(query_reads_bytes(self._pending)).digest()
        self._pending = []
        while True:
            nodes = self._levels.setdefault(level, [])
            nodes.append(node)
            self._max_level = max(self._max_level, level)
            if len(nodes) <= self._max_degree:
                return
            node = sha256(b"".join(self._levels.pop(level))).digest()
            level += 1

    def _fold(self) -> None:
        for level in range(1, self._max_level):
            nodes = self._levels.pop(level, [])
            if nodes:
                # A lone node moves up as it is: Fabric does not hash it again.
                node = nodes[0] if len(nodes) == 1 else sha256(b"".join(nodes)).digest()
                self._levels.setdefault(level + 1, []).append(node)
        top = self._levels[self._max_level]
        if len(top) > self._max_degree:
            del self._levels[self._max_level]
            self._max_level += 1
            self._levels[self._max_level] = [sha256(b"".join(top)).digest()]
