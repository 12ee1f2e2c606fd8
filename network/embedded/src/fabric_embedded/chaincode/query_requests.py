"""Requests of a running chaincode for many keys: ranges, histories, pages (fabric-behaviour §5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fabric_protos.ledger.queryresult import kv_query_result_pb2 as queryresult
from fabric_protos.peer import chaincode_shim_pb2 as shim

from fabric_embedded.chaincode.history import key_history
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.errors import ChaincodeError
from fabric_protocol.ranges import KeyValue, RangePages

if TYPE_CHECKING:
    from fabric_embedded.chaincode.execution import Execution
    from fabric_embedded.chaincode.state_requests import Handler


def _get_state_by_range(execution: Execution, payload: bytes) -> bytes:
    request = shim.GetStateByRange.FromString(payload)
    paging = shim.QueryMetadata.FromString(request.metadata)
    namespace = execution.chaincode
    if request.collection:
        execution.access.check_read(namespace, request.collection)
        results = execution.simulator.scan_private(
            namespace, request.collection, request.startKey, request.endKey
        )
        return _open(execution, RangePages(_encoded(results, namespace)))
    if paging.pageSize or paging.bookmark:
        return _one_page(execution, request, paging)
    scan = execution.simulator.scan(namespace, request.startKey, request.endKey)
    return _open(execution, RangePages(_encoded(scan, namespace)))


def _one_page(execution: Execution, request: shim.GetStateByRange, paging: shim.QueryMetadata) -> bytes:
    page = execution.simulator.scan_page(
        execution.chaincode,
        request.startKey,
        request.endKey,
        page_size=paging.pageSize,
        bookmark=paging.bookmark,
    )
    metadata = shim.QueryResponseMetadata(fetched_records_count=len(page.entries), bookmark=page.bookmark)
    entries = _encoded(iter(page.entries), execution.chaincode)
    response = shim.QueryResponse(
        results=[shim.QueryResultBytes(resultBytes=entry.value) for entry in entries],
        has_more=False,
        id=_next_id(execution),
        metadata=metadata.SerializeToString(),
    )
    return bytes(response.SerializeToString())


def _get_history(execution: Execution, payload: bytes) -> bytes:
    request = shim.GetHistoryForKey.FromString(payload)
    changes = key_history(execution.blocks, execution.chaincode, request.key)
    results = (KeyValue(request.key, change.SerializeToString()) for change in changes)
    return _open(execution, RangePages(results))


def _get_query_result(execution: Execution, payload: bytes) -> bytes:
    # Peers name their own function, and have two.
    asked = "ExecuteQueryWithMetadata" if shim.GetQueryResult.FromString(payload).metadata else "ExecuteQuery"
    raise ChaincodeError("QUERY_UNSUPPORTED", f"{asked} not supported for leveldb")


def _next(execution: Execution, payload: bytes) -> bytes:
    identifier = shim.QueryStateNext.FromString(payload).id
    pages = execution.iterators.get(identifier)
    if pages is None:
        raise ChaincodeError("ITERATOR_NOT_FOUND", "query iterator not found")
    return _page(execution, identifier, pages)


def _close(execution: Execution, payload: bytes) -> bytes:
    identifier = shim.QueryStateClose.FromString(payload).id
    execution.iterators.pop(identifier, None)
    return bytes(shim.QueryResponse(has_more=False, id=identifier).SerializeToString())


def _open(execution: Execution, pages: RangePages) -> bytes:
    identifier = _next_id(execution)
    execution.iterators[identifier] = pages
    return _page(execution, identifier, pages)


def _page(execution: Execution, identifier: str, pages: RangePages) -> bytes:
    page = pages.next_page()
    if not page.has_more:
        execution.iterators.pop(identifier, None)
    response = shim.QueryResponse(
        results=[shim.QueryResultBytes(resultBytes=entry.value) for entry in page.entries],
        has_more=page.has_more,
        id=identifier,
    )
    return bytes(response.SerializeToString())


def _next_id(execution: Execution) -> str:
    execution.iterators_opened += 1
    return f"{execution.proposal.transaction_id}-{execution.iterators_opened}"


def _encoded(results: Iterator[KeyValue], namespace: str) -> Iterator[KeyValue]:
    return (
        KeyValue(key, queryresult.KV(namespace=namespace, key=key, value=value).SerializeToString())
        for key, value in results
    )


QUERY_HANDLERS: dict[int, Handler] = {
    Type.GET_STATE_BY_RANGE: _get_state_by_range,
    Type.GET_QUERY_RESULT: _get_query_result,
    Type.GET_HISTORY_FOR_KEY: _get_history,
    Type.QUERY_STATE_NEXT: _next,
    Type.QUERY_STATE_CLOSE: _close,
}
