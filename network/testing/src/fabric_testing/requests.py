"""A peer's answers to a chaincode, given by ``fabric_protocol``'s simulation (fabric-behaviour §5.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2

from fabric_protocol.definitions import Definition
from fabric_protocol.errors import SimulationError
from fabric_protocol.ranges import KeyValue, RangePages
from fabric_protocol.simulation import Simulator
from fabric_testing.history import HistoryEntry
from fabric_testing.private_access import PrivateAccess

Message: Final = chaincode_shim_pb2.ChaincodeMessage
Invoke = Callable[[str, Sequence[bytes]], Awaitable[bytes]]
"""Runs another chaincode in the same simulation; its ``M(ChaincodeMessage)``."""


class Requests:
    """Answers the requests of one run of one chaincode.

    Args:
        simulator: collects what is read and written.
        definition: of the chaincode that runs.
        access: what the proposal's creator may do with collections.
        history: committed changes of a key, oldest first.
        invoke: runs another chaincode.
    """

    def __init__(
        self,
        simulator: Simulator,
        definition: Definition,
        *,
        access: PrivateAccess,
        history: Callable[[str, str], Sequence[HistoryEntry]],
        invoke: Invoke,
    ) -> None:
        self._simulator = simulator
        self._definition = definition
        self._namespace = definition.name
        self._access = access
        self._history = history
        self._invoke = invoke
        self._queries: dict[str, RangePages] = {}
        self._query_ids = count(1)
        self._handlers: Mapping[int, Callable[[bytes], bytes]] = {
            Message.GET_STATE: self._get_state,
            Message.GET_STATE_MULTIPLE: self._get_states,
            Message.GET_PRIVATE_DATA_HASH: self._get_private_hash,
            Message.GET_STATE_METADATA: self._get_metadata,
            Message.PUT_STATE: lambda payload: self._put(chaincode_shim_pb2.PutState.FromString(payload)),
            Message.DEL_STATE: lambda payload: self._delete(chaincode_shim_pb2.DelState.FromString(payload)),
            Message.PURGE_PRIVATE_DATA: lambda payload: self._purge(
                chaincode_shim_pb2.PurgePrivateState.FromString(payload)
            ),
            Message.PUT_STATE_METADATA: lambda payload: self._put_metadata(
                chaincode_shim_pb2.PutStateMetadata.FromString(payload)
            ),
            Message.WRITE_BATCH_STATE: self._write_batch,
            Message.GET_STATE_BY_RANGE: self._range,
            Message.GET_HISTORY_FOR_KEY: self._get_history,
            Message.QUERY_STATE_NEXT: self._next,
            Message.QUERY_STATE_CLOSE: self._close,
        }

    async def answer(self, message_type: int, payload: bytes) -> bytes:
        """Payload of the ``RESPONSE`` to one request.

        Raises:
            ProtocolError: the request is refused.
        """
        if message_type == Message.INVOKE_CHAINCODE:
            call = chaincode_pb2.ChaincodeSpec.FromString(payload)
            return await self._invoke(call.chaincode_id.name, tuple(call.input.args))
        if message_type == Message.GET_QUERY_RESULT:
            query = chaincode_shim_pb2.GetQueryResult.FromString(payload)
            asked = "ExecuteQueryWithMetadata" if query.metadata else "ExecuteQuery"
            raise SimulationError("QUERY_UNSUPPORTED", f"{asked} not supported for leveldb")
        return self._handlers[message_type](payload)

    def _get_state(self, payload: bytes) -> bytes:
        asked = chaincode_shim_pb2.GetState.FromString(payload)
        if not asked.collection:
            return self._simulator.get_state(self._namespace, asked.key) or b""
        self._access.check_read(self._definition, asked.collection)
        return self._simulator.get_private(self._namespace, asked.collection, asked.key) or b""

    def _get_states(self, payload: bytes) -> bytes:
        asked = chaincode_shim_pb2.GetStateMultiple.FromString(payload)
        if asked.collection:
            self._access.check_read(self._definition, asked.collection)
            values = self._simulator.get_privates(self._namespace, asked.collection, asked.keys)
        else:
            values = self._simulator.get_states(self._namespace, asked.keys)
        result = chaincode_shim_pb2.GetStateMultipleResult(values=[value or b"" for value in values])
        return bytes(result.SerializeToString())

    def _get_private_hash(self, payload: bytes) -> bytes:
        asked = chaincode_shim_pb2.GetState.FromString(payload)
        return self._simulator.get_private_hash(self._namespace, asked.collection, asked.key) or b""

    def _get_metadata(self, payload: bytes) -> bytes:
        asked = chaincode_shim_pb2.GetStateMetadata.FromString(payload)
        if asked.collection:
            self._access.check_read(self._definition, asked.collection)
            found = self._simulator.get_private_metadata(self._namespace, asked.collection, asked.key)
        else:
            found = self._simulator.get_metadata(self._namespace, asked.key)
        result = chaincode_shim_pb2.StateMetadataResult()
        for name, value in found.items():
            result.entries.add(metakey=name, value=value)
        return bytes(result.SerializeToString())

    def _put(self, write: Any) -> bytes:
        if write.collection:
            self._access.check_write(self._definition, write.collection)
            self._simulator.put_private(self._namespace, write.collection, write.key, write.value)
        else:
            self._simulator.put_state(self._namespace, write.key, write.value)
        return b""

    def _delete(self, write: Any) -> bytes:
        if write.collection:
            self._access.check_write(self._definition, write.collection)
            self._simulator.delete_private(self._namespace, write.collection, write.key)
        else:
            self._simulator.delete_state(self._namespace, write.key)
        return b""

    def _purge(self, write: Any) -> bytes:
        self._access.check_write(self._definition, write.collection)
        self._simulator.purge_private(self._namespace, write.collection, write.key)
        return b""

    def _put_metadata(self, write: Any) -> bytes:
        metadata = {write.metadata.metakey: write.metadata.value}
        if write.collection:
            self._access.check_write(self._definition, write.collection)
            self._simulator.set_private_metadata(self._namespace, write.collection, write.key, metadata)
        else:
            self._simulator.set_metadata(self._namespace, write.key, metadata)
        return b""

    def _write_batch(self, payload: bytes) -> bytes:
        writers = {
            Message.PUT_STATE: self._put,
            Message.DEL_STATE: self._delete,
            Message.PURGE_PRIVATE_DATA: self._purge,
            Message.PUT_STATE_METADATA: self._put_metadata,
        }
        for record in chaincode_shim_pb2.WriteBatchState.FromString(payload).rec:
            writers[record.type](record)
        return b""

    def _range(self, payload: bytes) -> bytes:
        asked = chaincode_shim_pb2.GetStateByRange.FromString(payload)
        pagination = chaincode_shim_pb2.QueryMetadata.FromString(asked.metadata)
        if asked.collection:
            self._access.check_read(self._definition, asked.collection)
            rows = self._simulator.scan_private(
                self._namespace, asked.collection, asked.startKey, asked.endKey
            )
            return self._open(RangePages(rows))
        if pagination.pageSize or pagination.bookmark:
            return self._range_page(asked, pagination)
        return self._open(RangePages(self._simulator.scan(self._namespace, asked.startKey, asked.endKey)))

    def _range_page(self, asked: Any, pagination: Any) -> bytes:
        page = self._simulator.scan_page(
            self._namespace,
            asked.startKey,
            asked.endKey,
            page_size=pagination.pageSize,
            bookmark=pagination.bookmark,
        )
        metadata = chaincode_shim_pb2.QueryResponseMetadata(
            fetched_records_count=len(page.entries), bookmark=page.bookmark
        )
        return _response(
            [self._entry(entry) for entry in page.entries], metadata=metadata.SerializeToString()
        )

    def _open(self, pages: RangePages) -> bytes:
        query_id = str(next(self._query_ids))
        self._queries[query_id] = pages
        return self._page(query_id)

    def _next(self, payload: bytes) -> bytes:
        return self._page(chaincode_shim_pb2.QueryStateNext.FromString(payload).id)

    def _page(self, query_id: str) -> bytes:
        pages = self._queries.get(query_id)
        if pages is None:
            raise SimulationError("QUERY_NOT_FOUND", "query iterator not found")
        page = pages.next_page()
        if not page.has_more:
            del self._queries[query_id]
        return _response(
            [self._entry(entry) for entry in page.entries], has_more=page.has_more, query_id=query_id
        )

    def _close(self, payload: bytes) -> bytes:
        query_id = chaincode_shim_pb2.QueryStateClose.FromString(payload).id
        self._queries.pop(query_id, None)
        return _response([], query_id=query_id)

    def _get_history(self, payload: bytes) -> bytes:
        key = chaincode_shim_pb2.GetHistoryForKey.FromString(payload).key
        return _response([entry.encoded() for entry in reversed(self._history(self._namespace, key))])

    def _entry(self, entry: KeyValue) -> bytes:
        found = kv_query_result_pb2.KV(namespace=self._namespace, key=entry.key, value=entry.value)
        return bytes(found.SerializeToString())


def _response(
    results: Sequence[bytes], *, has_more: bool = False, query_id: str = "", metadata: bytes = b""
) -> bytes:
    message = chaincode_shim_pb2.QueryResponse(has_more=has_more, id=query_id, metadata=metadata)
    for result in results:
        message.results.add(resultBytes=result)
    return bytes(message.SerializeToString())
