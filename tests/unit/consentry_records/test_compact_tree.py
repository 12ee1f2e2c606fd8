"""Leaves that come one by one give the root of all of them."""

from hypothesis import given
from hypothesis import strategies as st

from consentry_records.compact_tree import CompactTree
from consentry_records.merkle import root_of_hashes


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(0, 70))
def test_the_root_is_that_of_all_leaves(hashes: list[bytes], cut: int) -> None:
    tree = CompactTree()
    tree.add(hashes[:cut])
    tree.add(hashes[cut:])
    assert tree.root() == root_of_hashes(hashes)
