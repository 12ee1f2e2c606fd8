"""What became of a key: every valid write of it, read from the blocks (`core/ledger/kvledger/history`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fabric_protos.ledger.queryresult import kv_query_result_pb2 as queryresult

from fabric_protocol.blocks import parse_block
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.timestamps import to_timestamp
from fabric_protocol.transactions import Transaction

if TYPE_CHECKING:
    from fabric_embedded.storage.block_reader import BlockReader


def key_history(blocks: BlockReader, namespace: str, key: str) -> Iterator[queryresult.KeyModification]:
    """Writes and deletes of a public key by valid transactions, newest first.

    Yields:
        KeyModification{tx_id, value, timestamp, is_delete}; the timestamp is the proposal's.
    """
    read_number, entries = -1, []
    for number, position in blocks.history(namespace, key):
        if number != read_number:
            read_number, entries = number, parse_block(blocks.block(number) or b"").data.data
        change = _change(Transaction.from_envelope(entries[position]), namespace, key)
        if change is not None:
            yield change


def _change(transaction: Transaction, namespace: str, key: str) -> queryresult.KeyModification | None:
    for entry in decode_rwset(transaction.results).namespaces:
        if entry.namespace != namespace:
            continue
        for write in entry.writes:
            if write.key == key:
                return queryresult.KeyModification(
                    tx_id=transaction.transaction_id,
                    value=b"" if write.deletes else write.value,
                    timestamp=to_timestamp(transaction.timestamp),
                    is_delete=write.deletes,
                )
    return None
