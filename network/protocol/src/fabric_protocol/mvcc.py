"""Second pass of validation: one transaction after the other, against what the ones before it changed.

Source: Fabric ``core/ledger/kvledger/txmgmt/validation/{validator,rangequery_validator,tx_ops}.go``.
"""

from collections.abc import Iterator
from heapq import merge

from fabric_protocol.errors import EncodingError
from fabric_protocol.pending_updates import PendingUpdates
from fabric_protocol.range_queries import MAX_DEGREE, RangeReads
from fabric_protocol.rwset import HashedRead, RangeQuery, Read, ReadWriteSet
from fabric_protocol.state import StateReader, Version
from fabric_protocol.updates import UpdateBatch
from fabric_protocol.validation_codes import ValidationCode


class ConcurrencyControl:
    """Judges a block's transactions by what they read, and collects what the valid ones change.

    Parameters:
        state: committed state, as it was before the block.
    """

    def __init__(self, state: StateReader) -> None:
        self._state = state
        self._updates = PendingUpdates(state)

    def check_and_apply(self, rwset: ReadWriteSet, version: Version) -> ValidationCode:
        """Judge the next transaction, and apply it if it is valid.

        Parameters:
            rwset: what it read and writes.
            version: its place: number of the block, index in it.

        Returns:
            VALID, MVCC_READ_CONFLICT or PHANTOM_READ_CONFLICT.
        """
        code = self._check(rwset)
        if code is ValidationCode.VALID:
            self._updates.apply(rwset, version)
        return code

    def batch(self) -> UpdateBatch:
        """Net updates of the transactions so far."""
        return self._updates.batch()

    def _check(self, rwset: ReadWriteSet) -> ValidationCode:
        for namespace in rwset.namespaces:
            name = namespace.namespace
            if not all(self._is_current(name, read) for read in namespace.reads):
                return ValidationCode.MVCC_READ_CONFLICT
            if not all(self._has_no_phantoms(name, query) for query in namespace.range_queries):
                return ValidationCode.PHANTOM_READ_CONFLICT
            for collection in namespace.collections:
                if not all(self._is_hash_current(name, collection.name, read) for read in collection.reads):
                    return ValidationCode.MVCC_READ_CONFLICT
        return ValidationCode.VALID

    def _is_current(self, namespace: str, read: Read) -> bool:
        if self._updates.has(namespace, read.key):
            return False
        found = self._state.get(namespace, read.key)
        return (found.version if found else None) == read.version

    def _is_hash_current(self, namespace: str, collection: str, read: HashedRead) -> bool:
        if self._updates.has_hashed(namespace, collection, read.key_hash):
            return False
        found = self._state.get_hashed(namespace, collection, read.key_hash)
        return (found.version if found else None) == read.version

    def _has_no_phantoms(self, namespace: str, query: RangeQuery) -> bool:
        try:
            reads = RangeReads(query.merkle.max_degree if query.merkle else MAX_DEGREE)
        except EncodingError:
            return False
        present = self._present(namespace, query)
        if query.merkle is None:
            expected = iter(query.reads or ())
            return all(read == next(expected, None) for read in present) and next(expected, None) is None
        for read in present:
            reads.add(read)
        return reads.summary()[1] == query.merkle

    def _present(self, namespace: str, query: RangeQuery) -> Iterator[Read]:
        # The last key that a query got belongs to its range unless it ran to the end.
        end = query.end_key if query.exhausted or not query.end_key else query.end_key + "\x00"
        pending = self._updates.in_range(namespace, query.start_key, end)
        committed = (
            Read(key, found.version)
            for key, found in self._state.scan(namespace, query.start_key, end)
            if key not in pending
        )
        changed = (Read(key, version) for key, version in sorted(pending.items()) if version is not None)
        return merge(committed, changed)
