"""The private-data half of the peer's stub, and what both halves share."""

# ruff: noqa: D102 - Stub documents what its implementations do
from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric_protos.peer import chaincode_shim_pb2

from fabric_shim import keys as key_rules
from fabric_shim.errors import ContractError
from fabric_shim.exchange import Exchange
from fabric_shim.iterators import QueryIterator, decode_entry
from fabric_shim.messages import (
    DEL_STATE,
    GET_PRIVATE_DATA_HASH,
    GET_QUERY_RESULT,
    GET_STATE_BY_RANGE,
    PURGE_PRIVATE_DATA,
    PUT_STATE,
)
from fabric_shim.reads import get_one, request_about
from fabric_shim.stub import StateIterator
from fabric_shim.writes import Writes


class PrivateData:
    """Private-data methods of ``Stub``, whose docstrings say what each does.

    Args:
        exchange: the transaction's requests.
        writes: the transaction's gathered writes, public and private.
    """

    def __init__(self, exchange: Exchange, writes: Writes) -> None:
        self._exchange = exchange
        self._writes = writes
        self._writable = True

    def refuse_writes(self) -> None:
        """Refuse writes and events from now on: the function is marked ``@evaluation``."""
        self._writable = False

    async def flush(self) -> None:
        """Send the writes gathered so far."""
        await self._writes.flush()

    def _check_writable(self) -> None:
        if not self._writable:
            raise ContractError(
                "EVALUATION_WRITES", "a function marked @evaluation wrote or set an event", status=500
            )

    async def _write(self, message_type: int, collection: str, key: str, value: bytes) -> None:
        self._check_writable()
        await self._writes.add(message_type, collection, {key: value})

    async def _put_all(self, collection: str, values: Mapping[str, bytes]) -> None:
        self._check_writable()
        for key, value in values.items():
            key_rules.check_written_key(key)
            key_rules.check_value(value)
        await self._writes.add(PUT_STATE, collection, values)

    def _range(self, collection: str, start: str, end: str) -> StateIterator:
        request = chaincode_shim_pb2.GetStateByRange(startKey=start, endKey=end, collection=collection)
        # A range of private data makes the transaction read-only: earlier writes must reach the peer first.
        prepare = self.flush if collection else None
        return QueryIterator(
            self._exchange, GET_STATE_BY_RANGE, request.SerializeToString(), decode_entry, prepare, collection
        )

    async def get_private(self, collection: str, key: str) -> bytes | None:
        _check_collection(collection)
        return await get_one(self._exchange, collection, key_rules.check_text(key, "key"))

    async def get_privates(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        # GET_STATE_MULTIPLE does not compare private values with their public hashes (fabric-behaviour §4.4):
        # a peer that lacks the newest value would answer with an old one or none. One by one it says so.
        return [await self.get_private(collection, key) for key in key_rules.check_texts(keys)]

    async def get_private_hash(self, collection: str, key: str) -> bytes | None:
        _check_collection(collection)
        key_rules.check_text(key, "key")
        return await request_about(self._exchange, GET_PRIVATE_DATA_HASH, collection, key) or None

    async def put_private(self, collection: str, key: str, value: bytes) -> None:
        _check_collection(collection)
        await self._write(
            PUT_STATE, collection, key_rules.check_written_key(key), key_rules.check_value(value)
        )

    async def put_privates(self, collection: str, values: Mapping[str, bytes]) -> None:
        _check_collection(collection)
        await self._put_all(collection, values)

    async def delete_private(self, collection: str, key: str) -> None:
        _check_collection(collection)
        await self._write(DEL_STATE, collection, key_rules.check_written_key(key), b"")

    async def purge_private(self, collection: str, key: str) -> None:
        _check_collection(collection)
        await self._write(PURGE_PRIVATE_DATA, collection, key_rules.check_written_key(key), b"")

    def get_private_range(self, collection: str, start: str, end: str) -> StateIterator:
        _check_collection(collection)
        return self._range(collection, *key_rules.simple_range(start, end))

    def get_private_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str]
    ) -> StateIterator:
        _check_collection(collection)
        return self._range(collection, *key_rules.partial_composite_range(object_type, attributes))

    def query_private(self, collection: str, query: str) -> StateIterator:
        _check_collection(collection)
        payload = chaincode_shim_pb2.GetQueryResult(query=query, collection=collection).SerializeToString()
        return QueryIterator(self._exchange, GET_QUERY_RESULT, payload, decode_entry, self.flush, collection)


def _check_collection(collection: str) -> None:
    if not isinstance(collection, str) or not collection:
        raise ContractError("COLLECTION_INVALID", "got no name of a collection, expected one of type str")
    key_rules.check_text(collection, "name of a collection")
