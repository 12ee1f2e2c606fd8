"""Cutting: nothing is lost or reordered, and no block breaks a limit that its envelopes could keep."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fabric_embedded.ordering.cutter import BlockCutter


def _cut(sizes: list[int], count: int, preferred: int) -> tuple[list[list[bytes]], list[bytes]]:
    cutter = BlockCutter()
    batches: list[list[bytes]] = []
    for index, size in enumerate(sizes):
        envelope = index.to_bytes(2, "big") + bytes(size)
        batches += cutter.add(envelope, size, max_message_count=count, preferred_max_bytes=preferred)
    return batches, cutter.cut()


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 8), st.integers(1, 60))
def test_batches_are_what_came_in_its_order_within_the_limits(
    sizes: list[int], count: int, preferred: int
) -> None:
    batches, rest = _cut(sizes, count, preferred)
    numbers = [int.from_bytes(envelope[:2], "big") for batch in [*batches, rest] for envelope in batch]
    assert numbers == list(range(len(sizes)))
    assert all(batches)
    for batch in [*batches, rest]:
        total = sum(len(envelope) - 2 for envelope in batch)
        assert len(batch) <= count
        assert total <= preferred or len(batch) == 1
    assert len(rest) < count


def test_full_count_is_cut_at_once() -> None:
    assert [len(batch) for batch in _cut([1, 1, 1, 1, 1], 2, 100)[0]] == [2, 2]


def test_envelope_above_the_preferred_size_comes_alone_after_what_waits() -> None:
    batches, rest = _cut([1, 500, 1], 10, 100)
    assert [len(batch) for batch in batches] == [1, 1]
    assert len(rest) == 1


def test_what_would_exceed_the_preferred_size_begins_a_new_block() -> None:
    batches, rest = _cut([60, 40, 1], 10, 100)
    assert [len(batch) for batch in batches] == [2]
    assert len(rest) == 1
