"""Range queries as a simulation runs them: what is handed out is what is recorded.

Source: Fabric ``core/ledger/kvledger/txmgmt/txmgr/query_executor.go · resultsItr`` and
``core/chaincode/query_response_generator.go``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fabric_protocol.range_queries import RangeReads
from fabric_protocol.rwset import RangeQuery, Read
from fabric_protocol.state import VersionedValue

PAGE_SIZE = 100
"""Most results that a peer sends to a chaincode in one message."""

TOTAL_QUERY_LIMIT = 100_000
"""Most results of one query over all its pages (``ledger.state.totalQueryLimit`` of Fabric's core.yaml)."""


class KeyValue(NamedTuple):
    """One result of a query."""

    key: str
    value: bytes


@dataclass(frozen=True)
class Page:
    """Results sent in one message; ``has_more`` says that another page can be asked for."""

    entries: tuple[KeyValue, ...]
    has_more: bool


@dataclass(frozen=True)
class BookmarkedPage:
    """Results of a paginated query; ``bookmark`` is where the next one starts, empty at the end."""

    entries: tuple[KeyValue, ...]
    bookmark: str


class RangeIterator:
    """Iterates a range and remembers what it handed out.

    Parameters:
        rows: keys and values in order, from ``start`` (included) to ``end`` (excluded).
        start: first key asked for, as asked.
        end: key after the last one asked for, as asked.
    """

    def __init__(self, rows: Iterator[tuple[str, VersionedValue]], start: str, end: str) -> None:
        self._rows = rows
        self._start = start
        self._asked_end = end
        self._end = ""
        self._is_exhausted = False
        self._reads = RangeReads()

    def __iter__(self) -> "RangeIterator":
        return self

    def __next__(self) -> KeyValue:
        row = next(self._rows, None)
        if row is None:
            self._is_exhausted = True
            self._end = self._asked_end
            raise StopIteration
        key, found = row
        self._end = key
        self._reads.add(Read(key, found.version))
        return KeyValue(key, found.value)

    def following_key(self) -> str:
        """Key after the last one handed out, unrecorded; empty at the end. Ends the iteration."""
        row = next(self._rows, None)
        self._rows = iter(())
        return row[0] if row else ""

    def query(self) -> RangeQuery:
        """What goes into the read-write set. Ends the iteration."""
        reads, merkle = self._reads.summary()
        return RangeQuery(self._start, self._end, self._is_exhausted, reads, merkle)


class RangePages:
    """Cuts a query into pages as a peer does: it looks one result ahead before it says that there is more.

    That result, too, is recorded as read. Past the limit the query just ends.

    Parameters:
        results: a `RangeIterator`, or the results of a private range query.
        page_size: most results of a page.
        limit: most results of all pages.
    """

    def __init__(
        self, results: Iterator[KeyValue], *, page_size: int = PAGE_SIZE, limit: int = TOTAL_QUERY_LIMIT
    ) -> None:
        self._results = results
        self._page_size = page_size
        self._left = limit
        self._pending: list[KeyValue] = []

    def next_page(self) -> Page:
        """The next results; empty after the end."""
        while self._left > 0:
            result = next(self._results, None)
            if result is None:
                break
            self._left -= 1
            if len(self._pending) == self._page_size:
                page, self._pending = self._pending, [result]
                return Page(tuple(page), has_more=True)
            self._pending.append(result)
        page, self._pending, self._left = self._pending, [], 0
        return Page(tuple(page), has_more=False)


def bookmarked_page(results: RangeIterator, *, page_size: int, limit: int) -> BookmarkedPage:
    """One page of a paginated query; a ``page_size`` of 0 or less means as many as ``limit`` allows."""
    size = min(page_size, limit) if page_size > 0 else limit
    entries: list[KeyValue] = []
    while len(entries) < size:
        result = next(results, None)
        if result is None:
            return BookmarkedPage(tuple(entries), "")
        entries.append(result)
    return BookmarkedPage(tuple(entries), results.following_key())
