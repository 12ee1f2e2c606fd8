import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_shim.canonical import SAFE_INTEGER, encode

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE_INTEGER, SAFE_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(JSON)
def test_it_is_json_of_the_same_value(value):
    assert json.loads(encode(value)) == value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)))
def test_keys_are_in_the_order_of_their_utf16_units(value):
    keys = list(json.loads(encode(value)))
    assert keys == sorted(keys, key=lambda key: key.encode("utf-16-be"))


def test_the_bytes_are_those_of_rfc_8785():
    value = {"b": [1, True, None], "a": '\u20ac"\\/\n\x0f\x7f', "\u20ac": {}, "\U0001f600": "", "\ufb33": ()}
    assert (
        encode(value)
        == (
            '{"a":"\u20ac\\"\\\\/\\n\\u000f\x7f","b":[1,true,null],"\u20ac":{},"\U0001f600":"","\ufb33":[]}'
        ).encode()
    )


def test_records_are_encoded_by_their_to_dict():
    class Record:
        def to_dict(self):
            return {"z": 1, "a": [2]}

    assert encode([Record()]) == b'[{"a":[2],"z":1}]'


@pytest.mark.parametrize("value", [1.5, float("nan"), {1}, b"x", {1: 2}, object(), {"a": [1.0]}])
def test_values_without_one_text_are_refused(value):
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize("value", [SAFE_INTEGER + 1, -(10**30), "\ud800", {"\ud800": 1}])
def test_values_that_others_cannot_read_are_refused(value):
    with pytest.raises(ValueError, match="got"):
        encode(value)


def test_endless_nesting_is_refused():
    value = []
    value.append(value)
    with pytest.raises(ValueError, match="nested"):
        encode(value)
