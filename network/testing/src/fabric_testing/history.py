"""Committed changes of each key, as a peer's history database keeps them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_protocol.rwset import ReadWriteSet


@dataclass(frozen=True)
class HistoryEntry:
    """One change of one key."""

    transaction_id: str
    value: bytes
    is_delete: bool
    timestamp: datetime

    def encoded(self) -> bytes:
        """``M(KeyModification)``."""
        timestamp = Timestamp()
        timestamp.FromDatetime(self.timestamp)
        return bytes(
            kv_query_result_pb2.KeyModification(
                tx_id=self.transaction_id, value=self.value, timestamp=timestamp, is_delete=self.is_delete
            ).SerializeToString()
        )


class History:
    """Changes of public keys by valid transactions, oldest first."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], list[HistoryEntry]] = defaultdict(list)

    def add(self, transaction_id: str, timestamp: datetime, rwset: ReadWriteSet) -> None:
        """Note what a valid transaction wrote."""
        for namespace in rwset.namespaces:
            for write in namespace.writes:
                self._entries[namespace.namespace, write.key].append(
                    HistoryEntry(transaction_id, write.value, write.is_delete, timestamp)
                )

    def of(self, namespace: str, key: str) -> Sequence[HistoryEntry]:
        """Changes of one key, oldest first."""
        return tuple(self._entries.get((namespace, key), ()))
