import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_shim import KeyInvalidError
from fabric_shim.keys import (
    create_composite_key,
    partial_composite_range,
    simple_range,
    split_composite_key,
)

PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\U0010ffff"))


@given(PARTS, st.lists(PARTS))
def test_composite_keys_come_apart_as_they_were_made(object_type, attributes):
    assert split_composite_key(create_composite_key(object_type, attributes)) == (object_type, attributes)


@given(PARTS, st.lists(PARTS), st.lists(PARTS))
def test_a_partial_range_holds_what_begins_with_its_parts(object_type, first, rest):
    start, end = partial_composite_range(object_type, first)
    key = create_composite_key(object_type, first + rest)
    assert start.encode() <= key.encode() < end.encode()


@pytest.mark.parametrize("part", ["\x00", "a\x00", "\U0010ffff", "\ud800", 7, None])
def test_parts_that_would_break_a_key_are_refused(part):
    with pytest.raises(KeyInvalidError):
        create_composite_key("type", [part])
    with pytest.raises(KeyInvalidError):
        create_composite_key(part, [])


def test_one_text_for_the_attributes_is_refused():
    with pytest.raises(KeyInvalidError):
        create_composite_key("type", "attribute")


@pytest.mark.parametrize("key", ["", "simple", "\x00", "\x00type", "type\x00", 1])
def test_what_is_no_composite_key_is_not_split(key):
    with pytest.raises(KeyInvalidError):
        split_composite_key(key)


def test_simple_ranges_leave_composite_keys_out():
    assert simple_range("", "") == ("\x01", "")
    assert simple_range("a", "b") == ("a", "b")
    for bounds in (("\x00a", ""), ("a", "\x00")):
        with pytest.raises(KeyInvalidError):
            simple_range(*bounds)
