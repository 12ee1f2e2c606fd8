import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_shim import ConfigurationError
from fabric_shim.canonical import encode
from fabric_shim.parameters import ArgumentRefusedError, argument_decoder


class Colour(enum.StrEnum):
    RED = "red"


class Point:
    def __init__(self, x):
        self.x = x

    @classmethod
    def from_dict(cls, document):
        return cls(document["x"])


@pytest.mark.parametrize(
    ("annotation", "argument", "value"),
    [
        (str, "text é".encode(), "text é"),
        (str, b'"quoted"', '"quoted"'),
        (bytes, b"\xff\x00", b"\xff\x00"),
        (int, b"-7", -7),
        (bool, b"true", True),
        (list[str], b'["a"]', ["a"]),
        (Sequence[int], b"[1]", [1]),
        (tuple[int, ...], b"[1,2]", (1, 2)),
        (dict[str, int], b'{"a":1}', {"a": 1}),
        (Mapping[str, list[bool]], b'{"a":[false]}', {"a": [False]}),
        (int | None, b"null", None),
        (Optional[int], b"3", 3),  # noqa: UP045 - both spellings are in use
        (Colour, b'"red"', Colour.RED),
        (Any, b'{"a":[null]}', {"a": [None]}),
        (None, b"null", None),
    ],
)
def test_arguments_are_decoded_by_their_annotation(annotation, argument, value):
    assert argument_decoder(annotation)(argument) == value


def test_records_are_decoded_by_their_from_dict():
    points = argument_decoder(list[Point])(b'[{"x":1},{"x":2}]')
    assert [point.x for point in points] == [1, 2]


@pytest.mark.parametrize(
    ("annotation", "argument"),
    [
        (str, b"\xff"),
        (int, b"\xff"),
        (int, b""),
        (int, b"1 2"),
        (int, b"true"),
        (int, b"1.0"),
        (int, b"1e3"),
        (int, b"NaN"),
        (int, b"9007199254740992"),
        (int, b"9" * 5000),
        (bool, b"1"),
        (list[str], b"[1]"),
        (list[str], b'"text"'),
        (dict[str, int], b"[]"),
        (dict[str, int], b'{"a":1,"a":2}'),
        (tuple[int, ...], b"{}"),
        (int | None, b'"x"'),
        (Colour, b'"blue"'),
        (Colour, b"[]"),
        (Point, b"[]"),
        (Any, b"[" * 100_000),
        (None, b"0"),
    ],
)
def test_what_does_not_fit_is_refused_without_quoting_it(annotation, argument):
    with pytest.raises(ArgumentRefusedError, match=r"got .*, expected") as caught:
        argument_decoder(annotation)(argument)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    "annotation",
    [float, object, set[str], dict[int, str], int | str, int | str | None, tuple[int, str], complex],
)
def test_annotations_without_decoder_are_refused_when_the_service_starts(annotation):
    with pytest.raises(ConfigurationError):
        argument_decoder(annotation)


@given(st.binary())
def test_any_bytes_are_decoded_or_refused(argument):
    for annotation in (str, int, list[str], dict[str, Any], Any):
        decode = argument_decoder(annotation)
        try:
            first = decode(argument)
        except ArgumentRefusedError:
            with pytest.raises(ArgumentRefusedError):
                decode(argument)
        else:
            assert decode(argument) == first


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.booleans())))
def test_what_is_encoded_is_decoded(value):
    assert argument_decoder(dict[str, list[bool]])(encode(value)) == value
    assert argument_decoder(Any)(json.dumps(value).encode()) == value


def nested(levels: int, inner: bytes = b"1") -> bytes:
    return (
        b'{"a":[' * (levels // 2) + b"[" * (levels % 2) + inner + b"]" * (levels % 2) + b"]}" * (levels // 2)
    )


@pytest.mark.parametrize("levels", [0, 1, 63, 64])
def test_a_document_has_as_many_levels_as_it_may(levels):
    decode = argument_decoder(Any)
    # Brackets side by side, and those in strings, are no levels.
    wide = (
        b"[" * (levels > 0) + nested(max(levels - 1, 0)) + b',"' + b"[{" * 99 + b'\\"["' + b"]" * (levels > 0)
    )
    assert decode(nested(levels)) == json.loads(nested(levels))
    if levels:
        assert decode(wide) == json.loads(wide)


# Parsers of Python 3.11 give up at a thousand levels, later ones at other depths or never.
@pytest.mark.parametrize("levels", [65, 66, 900, 1_500, 5_000, 20_000, 200_000])
@pytest.mark.parametrize("inner", [b"1", b"1.5", b"10000000000000000000", b'{"b":1,"b":2}', b"?", b"", b'"['])
def test_what_is_too_deep_is_refused_in_the_same_words_by_every_version(levels, inner):
    with pytest.raises(ArgumentRefusedError) as refusal:
        argument_decoder(Any)(nested(levels, inner))
    assert (
        str(refusal.value) == "got bytes that are not JSON of 64 levels at most, expected one JSON document"
    )


def test_what_is_not_too_deep_keeps_its_own_words():
    wide = b"[" + b"[]," * 200 + b"1.5]"
    with pytest.raises(ArgumentRefusedError, match="a fraction or exponent"):
        argument_decoder(Any)(wide)
