"""Read-write sets that a node put together itself, so that it need not read them again from a block."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.rwset_encoding import decode_rwset

# What is smaller is read as quickly as it is found again.
_LEAST_BYTES: Final = 4096
_MOST_BYTES: Final = 16 * 2**20


class KnownSets:
    """The last endorsed sets, by transaction. May be used from several threads.

    A set counts only for the very bytes that it was encoded as: whatever else a block holds is read.
    """

    def __init__(self) -> None:
        self._sets: OrderedDict[str, tuple[bytes, ReadWriteSet]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def remember(self, transaction_id: str, data: bytes, rwset: ReadWriteSet) -> None:
        """Keep the set of a transaction until it is read, in place of the oldest ones.

        Parameters:
            transaction_id: of the proposal that was endorsed.
            data: M(TxReadWriteSet), as `rwset_encoding.encode_rwset` made it of the set.
            rwset: the set.
        """
        if not _LEAST_BYTES <= len(data) <= _MOST_BYTES:
            return
        with self._lock:
            self._drop(transaction_id)
            self._sets[transaction_id] = (data, rwset)
            self._bytes += len(data)
            while self._bytes > _MOST_BYTES:
                self._drop(next(iter(self._sets)))

    def decode(self, transaction_id: str, data: bytes) -> ReadWriteSet:
        """The set that these bytes are, and forget the transaction's.

        Parameters:
            transaction_id: of the transaction whose results they are.
            data: M(TxReadWriteSet), from wherever.

        Raises:
            EncodingError: as `rwset_encoding.decode_rwset`.
        """
        with self._lock:
            known = self._drop(transaction_id)
        return known[1] if known is not None and known[0] == data else decode_rwset(data)

    def _drop(self, transaction_id: str) -> tuple[bytes, ReadWriteSet] | None:
        known = self._sets.pop(transaction_id, None)
        if known is not None:
            self._bytes -= len(known[0])
        return known
