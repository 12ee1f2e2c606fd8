"""Writes of one transaction: gathered, then sent in the fewest messages that keep their order.

Nothing in a transaction can see its own writes, so when they reach the peer shows in three ways only: which
of them the peer refuses first, that a callee or a read-only query fails before or after them, and that all
are there when the transaction completes. ``flush`` is called for the last two; the first is kept by sending
in order and, if a batch is refused, by sending its writes again one by one until the culprit is found:
writing the same twice is harmless, and the transaction fails in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fabric_protos.peer import chaincode_shim_pb2

from fabric_protocol.wire import bytes_field, number_field, repeated, submessage, varint
from fabric_shim.errors import PeerError
from fabric_shim.exchange import Exchange
from fabric_shim.messages import (
    DEL_STATE,
    PURGE_PRIVATE_DATA,
    PUT_STATE,
    PUT_STATE_METADATA,
    VALIDATION_PARAMETER,
    WRITE_BATCH_STATE,
)

_KEY: Final = b"\x0a"
_VALUE: Final = b"\x12"
"""Tags of a WriteRecord's first fields, bytes 1 and 2."""

_MOST_BYTES: Final = 8 * 2**20
"""Bytes of values gathered before they are sent, far below the 100 MiB that a peer takes in one message."""


class Write(NamedTuple):
    """One write as the peer will get it: a value, or a policy for ``PUT_STATE_METADATA``."""

    type: int
    collection: str
    key: str
    value: bytes


# By collection, key and slot, type and value: an object for each of thousands would be felt.
_Gathered = dict[tuple[str, str, int], tuple[int, bytes]]


class Writes:
    """The writes of one transaction.

    Args:
        exchange: the transaction's requests.
        write_batch: most writes in one message; 0 where the peer takes one only, which are then sent at once.
    """

    __slots__ = ("_bytes", "_exchange", "_gathered", "_purges", "_refusal", "_write_batch")

    def __init__(self, exchange: Exchange, write_batch: int) -> None:
        self._exchange = exchange
        self._write_batch = write_batch
        self._gathered: _Gathered = {}
        self._bytes = 0
        self._purges = 0
        self._refusal: PeerError | None = None

    async def add(self, write_type: int, collection: str, values: Mapping[str, bytes]) -> None:
        """Gather writes of one type by their keys; the last of a key's values and of its policies are kept.

        Args:
            write_type: ``PUT_STATE``, ``DEL_STATE``, ``PURGE_PRIVATE_DATA`` or ``PUT_STATE_METADATA``.
            collection: of private data, ``""`` for public state.
            values: values or policies; ``b""`` where the type has none.
        """
        if not self._write_batch:
            for key, value in values.items():
                await self._send(Write(write_type, collection, key, value))
            return
        gathered = self._gathered
        for key, value in values.items():
            slot = (collection, key, self._slot(write_type))
            # A write goes to the end even if it replaces an earlier one: errors come in the author's order.
            replaced = gathered.pop(slot, None)
            gathered[slot] = (write_type, value)
            self._bytes += len(value) - (len(replaced[1]) if replaced else 0)
            if len(gathered) >= self._write_batch or self._bytes >= _MOST_BYTES:
                await self.flush()

    def _slot(self, write_type: int) -> int:
        if write_type in (PUT_STATE, DEL_STATE):
            return 0
        if write_type == PUT_STATE_METADATA:
            return -1
        # A purge also removes history, so it is neither replaced by nor replaces a write of the same key.
        self._purges += 1
        return self._purges

    async def flush(self) -> None:
        """Send what is gathered and wait until the peer has taken it.

        Raises:
            PeerError: the peer refused a write, now or in an earlier flush.
        """
        if self._gathered:
            gathered = self._gathered.copy()
            self._gathered.clear()
            self._bytes = 0
            await self._send_all(gathered)
        if self._refusal is not None:
            raise self._refusal

    async def _send_all(self, gathered: _Gathered) -> None:
        """Send several writes in one message; one by one where it is refused."""
        if len(gathered) > 1:
            with suppress(PeerError):
                await self._exchange.request(WRITE_BATCH_STATE, _batch(gathered))
                return
        for (collection, key, _), (write_type, value) in gathered.items():
            await self._send(Write(write_type, collection, key, value))

    async def _send(self, write: Write) -> None:
        try:
            await self._exchange.request(write.type, _payload(write))
        except PeerError as error:
            self._refusal = error.at(write.collection, write.key)
            raise self._refusal from None


def _metadata(policy: bytes) -> Any:
    if policy:
        return chaincode_shim_pb2.StateMetadata(metakey=VALIDATION_PARAMETER, value=policy)
    # An entry replaces all of a key's entries. A gateway that plans endorsements takes an empty policy for
    # one that nobody can satisfy (seen on v3.1.5); an entry without name means nothing: the policy is gone.
    return chaincode_shim_pb2.StateMetadata()


def _batch(gathered: _Gathered) -> bytes:
    """M(WriteBatchState) of M(WriteRecord)s: key, value, collection, metadata, type."""
    records: list[bytes] = []
    for (collection, key, _), (write_type, value) in gathered.items():
        if write_type == PUT_STATE_METADATA:
            end, value = _end(collection, write_type, value), b""
        else:
            end = _end(collection, write_type)
        name = key.encode()
        held = (_VALUE, varint(len(value)), value) if value else ()
        records.append(b"".join((_KEY, varint(len(name)), name, *held, end)))
    return repeated(1, records)


@lru_cache(maxsize=256)
def _end(collection: str, write_type: int, policy: bytes | None = None) -> bytes:
    """What is the same in many records: collection, metadata, type."""
    metadata = b"" if policy is None else submessage(4, _metadata(policy).SerializeToString())
    return bytes_field(3, collection.encode()) + metadata + number_field(5, write_type)


def _payload(write: Write) -> bytes:
    fields: dict[str, Any] = {"key": write.key, "collection": write.collection}
    message: Any
    if write.type == PUT_STATE:
        message = chaincode_shim_pb2.PutState(value=write.value, **fields)
    elif write.type == PUT_STATE_METADATA:
        message = chaincode_shim_pb2.PutStateMetadata(metadata=_metadata(write.value), **fields)
    elif write.type == PURGE_PRIVATE_DATA:
        message = chaincode_shim_pb2.PurgePrivateState(**fields)
    else:
        message = chaincode_shim_pb2.DelState(**fields)
    payload: bytes = message.SerializeToString()
    return payload
