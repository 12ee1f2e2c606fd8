"""Merkle trees against RFC 9162's recursive definitions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry_records.merkle import inclusion_proof, leaf_hash, root, verify_inclusion

ENTRIES = st.lists(st.binary(max_size=6), min_size=1, max_size=40)


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def recursive_root(entries: list[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1, word for word."""
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return hashlib.sha256(b"\x01" + recursive_root(entries[:k]) + recursive_root(entries[k:])).digest()


def recursive_path(index: int, entries: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 §2.1.3.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if index < k:
        return [*recursive_path(index, entries[:k]), recursive_root(entries[k:])]
    return [*recursive_path(index - k, entries[k:]), recursive_root(entries[:k])]


@given(ENTRIES, st.data())
def test_roots_and_proofs_are_the_rfcs(entries: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    proof = inclusion_proof(entries, index)
    assert root(entries) == recursive_root(entries)
    assert list(proof) == recursive_path(index, entries)
    assert verify_inclusion(entries[index], index, len(entries), proof, root(entries))


@given(ENTRIES, st.data())
def test_a_changed_proof_proves_nothing(entries: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    proof, tree = inclusion_proof(entries, index), root(entries)
    assert not verify_inclusion(entries[index] + b"!", index, len(entries), proof, tree)
    assert not verify_inclusion(entries[index], len(entries), len(entries), proof, tree)
    assert not verify_inclusion(entries[index], -1, len(entries), proof, tree)
    assert not verify_inclusion(entries[index], index, len(entries), (*proof, tree), tree)
    assert not verify_inclusion(entries[index], index, len(entries), (b"short", *proof[1:]), tree)
    if proof:
        assert not verify_inclusion(entries[index], index, len(entries), proof[:-1], tree)


def test_known_values() -> None:
    # RFC 6962's and RFC 9162's test tree: the empty tree, and one empty leaf.
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root([b"", b"\x00"]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_for_an_entry_outside(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof([b"a", b"b", b"c"], index)
