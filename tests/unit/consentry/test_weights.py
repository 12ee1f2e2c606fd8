"""Digests of arrays depend on names, types, shapes and values, and on nothing else."""

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consentry.errors import InputRejected
from consentry.weights import read_weights, weights_bytes, weights_digest

TYPES = st.sampled_from(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u4", "u8", "b1"])
ARRAYS = TYPES.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_dims=3)))


def test_the_bytes_are_those_of_the_definition() -> None:
    header = b'{"name":"w","shape":[2,1],"type":"f8"}'
    elements = struct.pack("<dd", 1.5, -2.0)
    expected = hashlib.sha256(
        b"consentry/weights/1"
        + len(header).to_bytes(8, "big")
        + header
        + len(elements).to_bytes(8, "big")
        + elements
    )
    assert weights_digest({"w": np.array([[1.5], [-2.0]])}) == "sha256:" + expected.hexdigest()


@given(array=ARRAYS)
def test_layout_and_byte_order_do_not_matter(array: np.ndarray) -> None:
    expected = weights_digest({"w": array})
    assert weights_digest({"w": np.array(array, order="F")}) == expected
    assert weights_digest({"w": array.astype(array.dtype.newbyteorder(">"))}) == expected
    assert weights_digest({"w": np.repeat(array[..., None], 2, axis=-1)[..., 0]}) == expected


@given(first=ARRAYS, second=ARRAYS)
def test_different_arrays_have_different_digests(first: np.ndarray, second: np.ndarray) -> None:
    same = first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
    assert (weights_digest({"w": first}) == weights_digest({"w": second})) == same


def test_order_of_names_does_not_matter_and_names_do() -> None:
    one, two = np.ones(2), np.zeros(3)
    assert weights_digest({"a": one, "b": two}) == weights_digest({"b": two, "a": one})
    assert weights_digest({"a": one, "b": two}) != weights_digest({"a": two, "b": one})
    assert weights_digest({"a": one}) != weights_digest({"b": one})


def test_elements_cannot_move_between_arrays() -> None:
    assert weights_digest({"a": np.ones(3), "b": np.ones(1)}) != weights_digest(
        {"a": np.ones(1), "b": np.ones(3)}
    )
    assert weights_digest({"a": np.ones((2, 3))}) != weights_digest({"a": np.ones((3, 2))})


@pytest.mark.parametrize(
    "weights",
    [
        {},
        [np.ones(2)],
        {"": np.ones(2)},
        {1: np.ones(2)},
        {"w": np.array(["text"])},
        {"w": np.array([object()])},
        {"w": np.ones(2, dtype="c16")},
        {"w": np.ones(2, dtype=np.longdouble)},
        {"w": [[1], [2, 3]]},
        {"w": None},
        {"w\ud800": np.ones(2)},
    ],
)
def test_what_has_no_exact_bytes_is_refused(weights: object) -> None:
    with pytest.raises(InputRejected) as caught:
        weights_digest(weights)  # type: ignore[arg-type]
    assert caught.value.code == "WEIGHTS_INVALID"


@given(array=ARRAYS)
def test_arrays_come_back_from_their_bytes(array: np.ndarray) -> None:
    data = weights_bytes({"w": array, "b": np.zeros(2)})
    assert weights_digest({"w": array, "b": np.zeros(2)}) == "sha256:" + hashlib.sha256(data).hexdigest()
    found = read_weights(data)
    assert weights_bytes(found) == data
    np.testing.assert_array_equal(found["w"], array)


def of_type(data: bytes, name: bytes) -> bytes:
    """The same bytes with another type in the first array's header."""
    end = 27 + int.from_bytes(data[19:27], "big")
    header = data[27:end].replace(b"f8", name)
    return data[:19] + len(header).to_bytes(8, "big") + header + data[end:]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data + bytes(8),
        lambda data: data.replace(b"f8", b"O8"),
        lambda data: of_type(data, b"f8,("),
        lambda data: data.replace(b"[2]", b"[3]"),
        lambda data: data + data.replace(b'"w"', b'"v"')[19:],
        lambda data: data[:19] + (1 << 40).to_bytes(8, "big") + data[27:],
    ],
)
def test_other_bytes_are_no_arrays(change) -> None:
    with pytest.raises(ValueError, match="expected named arrays"):
        read_weights(change(weights_bytes({"w": np.zeros(2)})))
