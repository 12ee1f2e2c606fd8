"""Writes of one transaction: gathered, then sent in the fewest messages that keep their order.

Nothing in a transaction can see its own writes, so when they reach the peer shows in three ways only: which
of them the peer refuses first, that a callee or a read-only query fails before or after them, and that all
are there when the transaction completes. ``flush`` is called for the last two; the first is kept by sending
in order and, if a batch is refused, by sending its writes again one by one until the culprit is found:
writing the same twice is harmless, and the transaction fails in any case.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from fabric_protos.peer import chaincode_shim_pb2

from fabric_protocol.wire import bytes_field, number_field, repeated, submessage
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

_MOST_BYTES: Final = 8 * 2**20
"""Bytes of values gathered before they are sent, far below the 100 MiB that a peer takes in one message."""


class Write(NamedTuple):
    """One write as the peer will get it: a value, or a policy for ``PUT_STATE_METADATA``."""

    type: int
    collection: str
    key: str
    value: bytes


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
        self._gathered: dict[tuple[str, str, int], Write] = {}
        self._bytes = 0
        self._purges = 0
        self._refusal: PeerError | None = None

    async def add(self, *writes: Write) -> None:
        """Gather writes; the last of a key's values and the last of its policies are kept."""
        if not self._write_batch:
            for write in writes:
                await self._send(write)
            return
        for write in writes:
            self._gather(write)
            if len(self._gathered) >= self._write_batch or self._bytes >= _MOST_BYTES:
                await self.flush()

    def _gather(self, write: Write) -> None:
        slot = (write.collection, write.key, self._slot(write.type))
        # A write goes to the end even if it replaces an earlier one: errors come in the author's order.
        replaced = self._gathered.pop(slot, None)
        self._gathered[slot] = write
        self._bytes += len(write.value) - (len(replaced.value) if replaced else 0)

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
            writes = list(self._gathered.values())
            self._gathered.clear()
            self._bytes = 0
            if len(writes) == 1:
                await self._send(writes[0])
            else:
                await self._send_batch(writes)
        if self._refusal is not None:
            raise self._refusal

    async def _send_batch(self, writes: list[Write]) -> None:
        batch = repeated(1, [_record(write) for write in writes])
        try:
            await self._exchange.request(WRITE_BATCH_STATE, batch)
        except PeerError:
            for write in writes:
                await self._send(write)

    async def _send(self, write: Write) -> None:
        try:
            await self._exchange.request(write.type, _payload(write))
        except PeerError as error:
            self._refusal = error.at(write.collection, write.key)
            raise self._refusal from None


def _metadata(write: Write) -> Any:
    if write.value:
        return chaincode_shim_pb2.StateMetadata(metakey=VALIDATION_PARAMETER, value=write.value)
    # An entry replaces all of a key's entries. A gateway that plans endorsements takes an empty policy for
    # one that nobody can satisfy (seen on v3.1.5); an entry without name means nothing: the policy is gone.
    return chaincode_shim_pb2.StateMetadata()


def _record(write: Write) -> bytes:
    """M(WriteRecord): key, value, collection, metadata, type."""
    metadata = b""
    value = write.value
    if write.type == PUT_STATE_METADATA:
        metadata, value = submessage(4, _metadata(write).SerializeToString()), b""
    return b"".join(
        (
            bytes_field(1, write.key.encode()),
            bytes_field(2, value),
            bytes_field(3, write.collection.encode()),
            metadata,
            number_field(5, write.type),
        )
    )


def _payload(write: Write) -> bytes:
    fields: dict[str, Any] = {"key": write.key, "collection": write.collection}
    message: Any
    if write.type == PUT_STATE:
        message = chaincode_shim_pb2.PutState(value=write.value, **fields)
    elif write.type == PUT_STATE_METADATA:
        message = chaincode_shim_pb2.PutStateMetadata(metadata=_metadata(write), **fields)
    elif write.type == PURGE_PRIVATE_DATA:
        message = chaincode_shim_pb2.PurgePrivateState(**fields)
    else:
        message = chaincode_shim_pb2.DelState(**fields)
    payload: bytes = message.SerializeToString()
    return payload
