"""Completeness chains: what binds all writes about one subject or dataset, and one root over all of them.

A chain's head after an epoch is SHA-256("consentry/chain/1" ‖ head before ‖ root of the epoch's entries); an
epoch without entries leaves it as it is, and before the first the head is 32 zero bytes. The root of an epoch
is over 4096 buckets, each the root over the heads of its chains in the order of their names; a chain is in
the bucket of the first 12 bits of its name's SHA-256. All roots are Merkle tree hashes (RFC 9162 §2.1).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import merkle

BUCKETS = 4096
FIRST_HEAD = bytes(32)
SUBJECT = "subject"
DATASET = "dataset"
_LABEL = b"consentry/chain/1"
_EMPTY_ROOT = merkle.root(())
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEntry:
    """One write of a record, as the chains bind it.

    `value_digest` is the SHA-256 of the bytes written, in hex; `endorsed` whether the custodian of the record
    itself endorsed the write by its peer, where it has to.
    """

    block: int
    position: int
    transaction_id: str
    recorded_at: str
    kind: str
    record_id: str
    value_digest: str
    endorsed: bool

    def leaf(self) -> bytes:
        """The bytes that the tree of an epoch's entries has of it: canonical JSON (RFC 8785)."""
        # Neither floats nor names beyond ASCII: the standard library's encoder gives the same bytes, faster.
        return _ENCODER.encode({name: getattr(self, name) for name in self.__slots__}).encode("utf-8")

    def leaf_hash(self) -> bytes:
        """The leaf hash of these bytes."""
        return merkle.leaf_hash(self.leaf())


def chain_name(kind: str, identifier: str) -> str:
    """Name of the chain of a dataset (by its id) or of a subject (by its commitment)."""
    return f"{kind}/{identifier}"


def next_head(head: bytes, leaf_hashes: Sequence[bytes]) -> bytes:
    """The head after an epoch with these entries, given as leaf hashes in ledger order, one at least."""
    return hashlib.sha256(_LABEL + head + merkle.root_of_hashes(leaf_hashes)).digest()


def bucket_of(name: str) -> int:
    """The bucket of a chain, from 0."""
    return int.from_bytes(hashlib.sha256(name.encode("ascii")).digest()[:2], "big") >> 4


def head_leaf(name: str, head: bytes) -> bytes:
    """What a bucket's tree has of a chain: its name, a zero byte, its head."""
    return name.encode("ascii") + b"\x00" + head


def bucket_root(heads: Mapping[str, bytes]) -> bytes:
    """The root over the heads of a bucket's chains, by name."""
    return merkle.root([head_leaf(name, heads[name]) for name in sorted(heads)])


def epoch_root(roots: Mapping[int, bytes]) -> bytes:
    """The root over all buckets; those that are not named have no chain."""
    return merkle.root(_all_buckets(roots))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadProof:
    """That a chain has a head under an epoch's root: its place in its bucket, and the two paths up."""

    position: int
    size: int
    path: tuple[bytes, ...]
    bucket_path: tuple[bytes, ...]

    @classmethod
    def of(cls, name: str, heads: Mapping[str, bytes], roots: Mapping[int, bytes]) -> HeadProof:
        """The proof of a chain among its bucket's heads and the roots of all buckets.

        Raises KeyError where the bucket has no such chain.
        """
        names = sorted(heads)
        if name not in heads:
            raise KeyError(name)
        position = names.index(name)
        leaves = [head_leaf(other, heads[other]) for other in names]
        return cls(
            position=position,
            size=len(names),
            path=merkle.inclusion_proof(leaves, position),
            bucket_path=merkle.inclusion_proof(_all_buckets(roots), bucket_of(name)),
        )

    def holds(self, name: str, head: bytes, root: bytes) -> bool:
        """Whether it proves the chain's head under the epoch's root."""
        bucket = merkle.root_on_path(head_leaf(name, head), self.position, self.size, self.path)
        return bucket is not None and merkle.verify_inclusion(
            bucket, bucket_of(name), BUCKETS, self.bucket_path, root
        )


def _all_buckets(roots: Mapping[int, bytes]) -> list[bytes]:
    return [roots.get(number, _EMPTY_ROOT) for number in range(BUCKETS)]
