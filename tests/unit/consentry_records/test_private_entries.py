"""Private entries and the batch entry that ties them to the public import."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import LedgerError, PrivateBatch, PrivateEntry
from consentry_records.canonical import encode
from consentry_records.private_entries import (
    MAXIMUM_VALUE_BYTES,
    PRIVATE_KEY,
    check_batch,
    decode_entries,
    encode_entries,
    entries_root,
    private_batch,
    private_entry,
    read_associated_data,
)

BATCH_ID = examples.identifier("batch")


def entries(count: int = 3) -> list[PrivateEntry]:
    return [
        private_entry(examples.commitment(f"s{number}"), examples.identifier("consent", number), b"encrypted")
        for number in range(1, count + 1)
    ]


def test_entries_go_over_the_transient_field() -> None:
    assert decode_entries(encode_entries(entries())) == tuple(entries())
    assert entries()[0].data == b"encrypted"
    assert entries()[0].consent_id == examples.identifier("consent", 1)
    check_batch(private_batch(BATCH_ID, entries()), entries())


@given(st.permutations(range(3)))
def test_the_root_fixes_every_entry_and_their_order(order: list[int]) -> None:
    reordered = [entries()[index] for index in order]
    assert (entries_root(reordered) == entries_root(entries())) == (order == [0, 1, 2])


def test_a_batch_that_does_not_fit_is_refused() -> None:
    batch = private_batch(BATCH_ID, entries())
    with pytest.raises(LedgerError) as count:
        check_batch(batch, entries(2))
    assert count.value.code == "BATCH_COUNT_DIFFERS"
    with pytest.raises(LedgerError) as root:
        check_batch(PrivateBatch(batch_id=BATCH_ID, count=3, root=examples.digest()), entries())
    assert root.value.code == "BATCH_ROOT_DIFFERS"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{}", "RECORD_NOT_OBJECT"),
        (b"[]", "TOO_LARGE"),
        (b"[1]", "RECORD_NOT_OBJECT"),
        (b"\xff", "JSON_INVALID"),
        (encode_entries(entries(1) * 2), "ID_DOUBLED"),
        (encode_entries(entries(401)), "TOO_LARGE"),
        (encode([{"key": "patient 17", "value": "AA=="}]), "FIELD_INVALID"),
        (encode([{"key": entries()[0].key, "value": "AA"}]), "FIELD_INVALID"),
        (encode([{"key": entries()[0].key, "value": "AB=="}]), "FIELD_INVALID"),
        (encode([{"key": entries()[0].key, "value": ""}]), "FIELD_INVALID"),
        (encode([{"key": entries()[0].key, "value": "ä"}]), "FIELD_INVALID"),
    ],
)
def test_other_transient_fields_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(LedgerError) as caught:
        decode_entries(data)
    assert caught.value.code == code


def test_a_value_has_at_most_4096_bytes() -> None:
    commitment, consent_id = examples.commitment(), examples.identifier("consent")
    assert len(private_entry(commitment, consent_id, b"x" * MAXIMUM_VALUE_BYTES).data) == MAXIMUM_VALUE_BYTES
    with pytest.raises(LedgerError):
        private_entry(commitment, consent_id, b"x" * (MAXIMUM_VALUE_BYTES + 1))


def test_keys_that_can_be_read() -> None:
    assert PRIVATE_KEY.read(entries()[0].key) == entries()[0].key
    assert PRIVATE_KEY.read(f"batch/{BATCH_ID}") == f"batch/{BATCH_ID}"
    assert read_associated_data("k") == b"consentry/private-read/1\x00k"
    with pytest.raises(LedgerError):
        PRIVATE_KEY.read("batch/anything")
