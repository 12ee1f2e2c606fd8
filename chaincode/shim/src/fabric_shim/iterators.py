"""Query results, fetched page by page from the peer as they are consumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2

from fabric_shim.errors import PeerError
from fabric_shim.exchange import Exchange
from fabric_shim.messages import QUERY_STATE_CLOSE, QUERY_STATE_NEXT, operation_name, read_answer
from fabric_shim.stub import KeyModification, Page

Entry = TypeVar("Entry")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class QueryIterator(Generic[Entry]):
    """Entries of one query; implements ``EntryIterator``.

    The peer frees a query by itself when its last page was fetched and when the transaction ends, so it is
    told only of one that is left early.

    Args:
        exchange: the transaction's requests.
        message_type: the request that opens the query.
        payload: that request's payload.
        decode: turns one result's bytes into an entry.
        prepare: awaited before the query is opened.
        collection: name of the collection that is queried, for errors.
    """

    def __init__(
        self,
        exchange: Exchange,
        message_type: int,
        payload: bytes,
        decode: Callable[[bytes, str], Entry],
        prepare: Callable[[], Awaitable[None]] | None = None,
        collection: str = "",
    ) -> None:
        self._exchange = exchange
        self._opening: tuple[int, bytes] | None = (message_type, payload)
        self._operation = operation_name(message_type)
        self._decode = decode
        self._prepare = prepare
        self._collection = collection
        self._results: deque[Any] = deque()
        self._query_id = ""
        self._more_at_peer = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Entry:
        while not self._results:
            await self._fetch()
        return self._decode(self._results.popleft().resultBytes, self._operation)

    async def _fetch(self) -> None:
        if self._opening is not None:
            (message_type, payload), self._opening = self._opening, None
            if self._prepare is not None:
                await self._prepare()
        elif self._more_at_peer:
            message_type = QUERY_STATE_NEXT
            payload = chaincode_shim_pb2.QueryStateNext(id=self._query_id).SerializeToString()
        else:
            raise StopAsyncIteration
        self._more_at_peer = False
        try:
            answer = await self._exchange.request(message_type, payload)
        except PeerError as error:
            raise error.at(self._collection, None) from None
        page = read_answer(chaincode_shim_pb2.QueryResponse, answer, operation_name(message_type))
        self._results.extend(page.results)
        self._query_id, self._more_at_peer = page.id, page.has_more

    async def aclose(self) -> None:
        """Free the query at the peer; further iteration ends at once."""
        self._opening = None
        self._results.clear()
        if self._more_at_peer:
            self._more_at_peer = False
            payload = chaincode_shim_pb2.QueryStateClose(id=self._query_id).SerializeToString()
            await self._exchange.request(QUERY_STATE_CLOSE, payload)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def read_page(exchange: Exchange, message_type: int, payload: bytes) -> Page:
    """Run a paginated query: one answer, with the bookmark of the next page."""
    operation = operation_name(message_type)
    answer = read_answer(
        chaincode_shim_pb2.QueryResponse, await exchange.request(message_type, payload), operation
    )
    metadata = read_answer(chaincode_shim_pb2.QueryResponseMetadata, answer.metadata, operation)
    entries = tuple(decode_entry(result.resultBytes, operation) for result in answer.results)
    return Page(entries, metadata.bookmark)


def decode_entry(result: bytes, operation: str) -> tuple[str, bytes]:
    """Key and value of one result of a range or a rich query."""
    entry = read_answer(kv_query_result_pb2.KV, result, operation)
    return entry.key, entry.value


def decode_modification(result: bytes, operation: str) -> KeyModification:
    """One result of a history query."""
    change = read_answer(kv_query_result_pb2.KeyModification, result, operation)
    elapsed = timedelta(seconds=change.timestamp.seconds, microseconds=change.timestamp.nanos // 1000)
    return KeyModification(change.tx_id, None if change.is_delete else change.value, _EPOCH + elapsed)
