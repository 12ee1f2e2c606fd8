"""Merkle trees as RFC 9162 §2.1 hashes them (SHA-256; leaves and nodes told apart by their first byte)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

_LEAF = b"\x00"
_NODE = b"\x01"
_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry), RFC 9162 §2.1.1."""
    return hashlib.sha256(_LEAF + entry).digest()


def root(entries: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of the entries in their order; of none, SHA-256 of nothing (RFC 9162 §2.1.1)."""
    return root_of_hashes([_sha256(_LEAF + entry).digest() for entry in entries])


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """The same of entries whose leaf hashes are given."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    level = list(hashes)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def inclusion_proof(entries: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The sibling hashes from the leaf up (RFC 9162 §2.1.3.1). Raises IndexError for an index outside the
    entries.
    """
    return path_in(levels([leaf_hash(entry) for entry in entries]), index)


def levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree over leaf hashes, the leaves first: what many paths are taken from."""
    found = [list(hashes)]
    while len(found[-1]) > 1:
        found.append(_next_level(found[-1]))
    return found


def path_in(tree: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """The sibling hashes of a leaf from `levels`. Raises IndexError for an index outside the leaves."""
    if not 0 <= index < len(tree[0]):
        raise IndexError(f"expected an index below {len(tree[0])}, got {index}")
    siblings = ((level, index >> height ^ 1) for height, level in enumerate(tree[:-1]))
    return tuple(level[sibling] for level, sibling in siblings if sibling < len(level))


def verify_inclusion(
    entry: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes
) -> bool:
    """Whether the path proves the entry at the index of a tree of that size (RFC 9162 §2.1.3.2)."""
    return verify_hash_inclusion(leaf_hash(entry), index, size, path, expected_root)


def verify_hash_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes
) -> bool:
    """The same of an entry whose leaf hash is given."""
    found = _root_above(leaf, index, size, path)
    return found is not None and hmac.compare_digest(found, expected_root)


def root_on_path(entry: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads from the entry at the index of a tree of that size.

    None where the path does not fit such a tree (RFC 9162 §2.1.3.2).
    """
    return _root_above(leaf_hash(entry), index, size, path)


def _root_above(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    if not 0 <= index < size or any(len(node) != hashlib.sha256().digest_size for node in path):
        return None
    position, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            current = _node_hash(sibling, current)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            current = _node_hash(current, sibling)
        position >>= 1
        last >>= 1
    return current if last == 0 else None


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _next_level(level: list[bytes]) -> list[bytes]:
    # A lone last node rises unchanged: the same tree as RFC 9162's split at a power of two.
    lone = level[-1:] if len(level) % 2 else []
    pairs = iter(level[:-1] if lone else level)
    paired = [_sha256(_NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return paired + lone
