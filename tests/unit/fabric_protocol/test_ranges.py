from collections.abc import Iterator
from hashlib import sha256

import pytest
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.errors import EncodingError
from fabric_protocol.range_queries import MAX_DEGREE, RangeReads
from fabric_protocol.ranges import KeyValue, RangeIterator, RangePages, bookmarked_page
from fabric_protocol.rwset import MerkleSummary, RangeQuery, Read
from fabric_protocol.state import Version, VersionedValue


def reads(count: int) -> list[Read]:
    return [Read(f"k{number:06}", Version(1, number)) for number in range(count)]


def leaf(entries: list[Read]) -> bytes:
    message = kv_rwset_pb2.QueryReads()
    for read in entries:
        assert read.version is not None
        version = kv_rwset_pb2.Version(block_num=read.version.block, tx_num=read.version.transaction)
        message.kv_reads.add(key=read.key).version.CopyFrom(version)
    return sha256(message.SerializeToString()).digest()


def reference(entries: list[Read], degree: int) -> MerkleSummary:
    """The summary once more, written another way: all leaves first, then level by level, recursively."""
    size = degree + 1
    nodes = [leaf(entries[start : start + size]) for start in range(0, len(entries), size)]
    levels: dict[int, list[bytes]] = {}
    top = 1

    def push(level: int, node: bytes) -> None:
        nonlocal top
        top = max(top, level)
        levels.setdefault(level, []).append(node)
        if len(levels[level]) > degree:
            push(level + 1, sha256(b"".join(levels.pop(level))).digest())

    for node in nodes:
        push(1, node)
    for level in range(1, top):
        rest = levels.pop(level, [])
        if rest:
            node = rest[0] if len(rest) == 1 else sha256(b"".join(rest)).digest()
            levels.setdefault(level + 1, []).append(node)
    hashes = levels[top]
    if len(hashes) > degree:
        top, hashes = top + 1, [sha256(b"".join(hashes)).digest()]
    return MerkleSummary(degree, top, tuple(hashes))


def collected(
    entries: list[Read], degree: int = MAX_DEGREE
) -> tuple[tuple[Read, ...] | None, MerkleSummary | None]:
    found = RangeReads(degree)
    for read in entries:
        found.add(read)
    return found.summary()


def test_up_to_fifty_reads_are_listed() -> None:
    assert collected([]) == (None, None)
    assert collected(reads(50)) == (tuple(reads(50)), None)


def test_fifty_one_reads_are_one_hash() -> None:
    assert collected(reads(51)) == (None, MerkleSummary(50, 1, (leaf(reads(51)),)))


def test_the_rest_becomes_a_node_of_its_own() -> None:
    entries = reads(103)

    assert collected(entries) == (
        None,
        MerkleSummary(50, 1, (leaf(entries[:51]), leaf(entries[51:102]), leaf(entries[102:]))),
    )


def test_fifty_one_nodes_fold_into_one_of_the_next_level() -> None:
    entries = reads(51 * 51 + 1)
    nodes = [leaf(entries[start : start + 51]) for start in range(0, 51 * 51, 51)]

    # The node that is left over moves up unhashed.
    folded = (sha256(b"".join(nodes)).digest(), leaf(entries[-1:]))
    assert collected(entries) == (None, MerkleSummary(50, 2, folded))


@given(st.integers(2, 5), st.integers(0, 400))
def test_summaries_are_those_of_the_reference(degree: int, count: int) -> None:
    entries = reads(count)

    listed, summary = collected(entries, degree)

    if count <= degree:
        assert (listed, summary) == (tuple(entries) or None, None)
    else:
        assert (listed, summary) == (None, reference(entries, degree))


@pytest.mark.parametrize("degree", [0, 1, -3])
def test_a_degree_below_two_is_refused(degree: int) -> None:
    with pytest.raises(EncodingError) as caught:
        RangeReads(degree)
    assert caught.value.code == "BAD_RWSET"


def rows(count: int) -> Iterator[tuple[str, VersionedValue]]:
    return ((read.key, VersionedValue(b"v", b"", read.version or Version(0, 0))) for read in reads(count))


def iterator(count: int) -> RangeIterator:
    return RangeIterator(rows(count), "", "z")


def test_a_query_that_ran_to_its_end_keeps_the_end_asked_for() -> None:
    found = iterator(3)

    assert [entry.key for entry in found] == [read.key for read in reads(3)]
    assert found.query() == RangeQuery("", "z", True, tuple(reads(3)), None)


def test_a_query_left_early_ends_with_the_last_key_handed_out() -> None:
    found = iterator(3)
    next(found)
    next(found)

    assert found.query() == RangeQuery("", "k000001", False, tuple(reads(2)), None)


def test_an_empty_query_has_no_reads() -> None:
    found = iterator(0)

    assert list(found) == []
    assert found.query() == RangeQuery("", "z", True, None, None)


def test_a_page_looks_one_result_ahead() -> None:
    found = iterator(150)
    pages = RangePages(found)

    first = pages.next_page()

    assert (len(first.entries), first.has_more) == (100, True)
    query = found.query()
    assert query.end_key == "k000100"
    assert query.merkle == collected(reads(101))[1]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, [(0, False)]), (99, [(99, False)]), (100, [(100, False)]), (101, [(100, True), (1, False)])],
)
def test_pages_hold_a_hundred(count: int, expected: list[tuple[int, bool]]) -> None:
    pages = RangePages(iterator(count))

    found = [pages.next_page() for _ in expected]

    assert [(len(page.entries), page.has_more) for page in found] == expected
    assert pages.next_page().entries == ()


def test_a_query_is_cut_off_at_the_total_limit_without_being_exhausted() -> None:
    found = iterator(500)
    pages = RangePages(found, limit=120)

    assert [len(pages.next_page().entries) for _ in range(2)] == [100, 20]
    query = found.query()
    assert (query.end_key, query.exhausted) == ("k000119", False)


def test_private_results_come_in_pages_too() -> None:
    pages = RangePages(iter([KeyValue("a", b"1"), KeyValue("b", b"2")]), page_size=1)

    assert [pages.next_page().entries for _ in range(2)] == [(KeyValue("a", b"1"),), (KeyValue("b", b"2"),)]


@pytest.mark.parametrize(
    ("page_size", "limit", "size", "bookmark", "exhausted"),
    [
        (2, 100, 2, "k000002", False),
        (5, 100, 5, "", False),
        (6, 100, 5, "", True),
        (0, 3, 3, "k000003", False),
    ],
)
def test_a_bookmark_is_the_next_key(
    page_size: int, limit: int, size: int, bookmark: str, exhausted: bool
) -> None:
    found = iterator(5)

    page = bookmarked_page(found, page_size=page_size, limit=limit)

    assert (len(page.entries), page.bookmark) == (size, bookmark)
    query = found.query()
    assert query.exhausted == exhausted
    assert query.reads == tuple(reads(size))
