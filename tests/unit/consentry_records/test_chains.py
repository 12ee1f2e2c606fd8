"""Completeness chains: a head binds its entries and their order, a root every head."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from consentry_records import merkle
from consentry_records.canonical import encode
from consentry_records.chains import (
    BUCKETS,
    FIRST_HEAD,
    ChainEntry,
    HeadProof,
    bucket_of,
    bucket_root,
    chain_name,
    epoch_root,
    next_head,
)

HASHES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=8)
NAMES = st.integers(0, 10**6).map(lambda number: chain_name("dataset", f"dataset-{number:032x}"))
HEADS = st.dictionaries(NAMES, st.binary(min_size=32, max_size=32), min_size=1, max_size=12)


def test_a_head_is_what_the_decision_says() -> None:
    entries = [merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")]
    root = hashlib.sha256(b"\x01" + entries[0] + entries[1]).digest()
    expected = hashlib.sha256(b"consentry/chain/1" + bytes(32) + root).digest()
    assert next_head(FIRST_HEAD, entries) == expected


@given(HASHES, st.data())
def test_no_entry_can_be_left_out_added_moved_or_altered(hashes: list[bytes], data: st.DataObject) -> None:
    head = next_head(FIRST_HEAD, hashes)
    place = data.draw(st.integers(0, len(hashes) - 1))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda found: found != hashes[place]))
    if len(hashes) > 1:
        assert next_head(FIRST_HEAD, hashes[:place] + hashes[place + 1 :]) != head
    assert next_head(FIRST_HEAD, [*hashes[:place], other, *hashes[place + 1 :]]) != head
    assert next_head(FIRST_HEAD, [*hashes[:place], other, *hashes[place:]]) != head
    if hashes[::-1] != hashes:
        assert next_head(FIRST_HEAD, hashes[::-1]) != head
    assert next_head(head, hashes) != head


@given(HEADS, st.data())
def test_every_head_is_proved_under_the_root_and_no_other_is(
    heads: dict[str, bytes], data: st.DataObject
) -> None:
    buckets: dict[int, dict[str, bytes]] = {}
    for name, head in heads.items():
        buckets.setdefault(bucket_of(name), {})[name] = head
    roots = {number: bucket_root(bucket) for number, bucket in buckets.items()}
    root = epoch_root(roots)
    name = data.draw(st.sampled_from(sorted(heads)))
    proof = HeadProof.of(name, buckets[bucket_of(name)], roots)
    assert proof.holds(name, heads[name], root)
    changed = bytes([heads[name][0] ^ 1]) + heads[name][1:]
    assert not proof.holds(name, changed, root)
    assert not proof.holds(name + "0", heads[name], root)
    without = {other: head for other, head in heads.items() if other != name}
    rest = {n: bucket_root({k: v for k, v in without.items() if bucket_of(k) == n}) for n in roots}
    assert epoch_root(rest) != root
    assert 0 <= bucket_of(name) < BUCKETS


@given(st.sampled_from(ChainEntry.__slots__))
def test_every_field_of_an_entry_is_bound(name: str) -> None:
    fields = {
        "block": 1,
        "position": 0,
        "transaction_id": "a" * 64,
        "recorded_at": "2026-01-01T00:00:00.000Z",
        "kind": "consent",
        "record_id": "consent-1",
        "value_digest": "b" * 64,
        "endorsed": True,
    }
    changed = fields | {name: {int: 7, bool: False, str: "other"}[type(fields[name])]}
    assert ChainEntry(**fields).leaf() == encode(fields)  # type: ignore[arg-type]
    assert ChainEntry(**fields).leaf_hash() != ChainEntry(**changed).leaf_hash()  # type: ignore[arg-type]
