"""Private entries and the batch entry that ties them to the public import."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import LedgerError, PrivateBatch
from consentry_records.canonical import encode
from consentry_records.private_entries import (
    MAXIMUM_VALUE_BYTES,
    PRIVATE_KEY,
    check_batch,
    decode_entries,
    encode_entries,
    entries_root,
    entry_key,
    private_batch,
    private_value,
    read_associated_data,
)

BATCH_ID = examples.identifier("batch")


def key(number: int) -> str:
    return entry_key(examples.commitment(f"s{number}"), examples.identifier("consent", number), BATCH_ID)


def entries(count: int = 3) -> dict[str, str]:
    return {key(number): private_value(b"encrypted") for number in range(1, count + 1)}


def test_entries_go_over_the_transient_field() -> None:
    texts, values = decode_entries(encode_entries(entries()))
    assert list(texts.items()) == list(entries().items())
    assert {name: private_value(value) for name, value in values.items()} == entries()
    check_batch(private_batch(BATCH_ID, entries()), entries())


@given(st.permutations(range(3)))
def test_the_root_fixes_every_entry_and_their_order(order: list[int]) -> None:
    reordered = dict([list(entries().items())[index] for index in order])
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
        (b"[]", "RECORD_NOT_OBJECT"),
        (b"{}", "TOO_LARGE"),
        (b"\xff", "JSON_INVALID"),
        (b'{"a":"AA==","a":"AA=="}', "JSON_INVALID"),
        (encode_entries(entries(1001)), "TOO_LARGE"),
        (encode({"patient 17": "AA=="}), "FIELD_INVALID"),
        (encode({key(1): "AA"}), "FIELD_INVALID"),
        (encode({key(1): "AB=="}), "FIELD_INVALID"),
        (encode({key(1): ""}), "FIELD_INVALID"),
        (encode({key(1): "ä"}), "FIELD_INVALID"),
        (encode({key(1): 1}), "FIELD_INVALID"),
    ],
)
def test_other_transient_fields_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(LedgerError) as caught:
        decode_entries(data)
    assert caught.value.code == code


def test_a_value_has_at_most_4096_bytes() -> None:
    longest = {key(1): private_value(b"x" * MAXIMUM_VALUE_BYTES)}
    assert decode_entries(encode_entries(longest))[0] == longest
    with pytest.raises(LedgerError):
        decode_entries(encode_entries({key(1): private_value(b"x" * (MAXIMUM_VALUE_BYTES + 1))}))


@given(st.binary(min_size=1, max_size=64) | st.text(alphabet="AQgw+/=b", max_size=12))
def test_a_value_is_taken_exactly_if_it_is_the_base64_of_some_bytes(value: bytes | str) -> None:
    text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    try:
        expected = bool(text) and base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:
        expected = False
    try:
        decode_entries(encode({key(1): text}))
    except LedgerError:
        assert not expected
    else:
        assert expected


def test_keys_that_can_be_read() -> None:
    assert PRIVATE_KEY.read(key(1)) == key(1)
    first_release = key(1).rpartition("/")[0]
    assert PRIVATE_KEY.read(first_release) == first_release
    assert PRIVATE_KEY.read(f"batch/{BATCH_ID}") == f"batch/{BATCH_ID}"
    assert read_associated_data("k") == b"consentry/private-read/1\x00k"
    with pytest.raises(LedgerError):
        PRIVATE_KEY.read("batch/anything")
