"""Digests of numpy arrays over exactly defined bytes: model weights, updates, aggregates, test sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from consentry.errors import InputRejected
from consentry_records import canonical
from consentry_records.digest import SHA256_PREFIX

_LABEL = b"consentry/weights/1"
_LENGTH_BYTES = 8
_KINDS = "biuf"
_LARGEST_ITEM_BYTES = 8


def weights_digest(arrays: Mapping[str, ArrayLike]) -> str:
    """Return `sha256:<hex>` of named arrays.

    The bytes hashed: "consentry/weights/1"; then for each array, in order of the names' UTF-8 bytes, the
    header {"name", "shape", "type"} as canonical JSON and the elements little-endian in C order (last index
    fastest), each preceded by its length as 8 bytes big-endian. `type` is numpy's type string without byte
    order, such as "f8". The digest depends on names, types, shapes and values, and on nothing else. Truth
    values, whole numbers and binary floating-point numbers of up to 64 bits have these bytes.

    Raises:
        InputRejected: WEIGHTS_INVALID, no arrays, a name that is empty or no text, or elements of another
            type.
    """
    digest = hashlib.sha256()
    for part in _parts(arrays):
        digest.update(part)
    return SHA256_PREFIX + digest.hexdigest()


def weights_bytes(arrays: Mapping[str, ArrayLike]) -> bytes:
    """Return named arrays as the bytes that `weights_digest` hashes; raises as it does."""
    return b"".join(_parts(arrays))


def read_weights(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays in bytes that `weights_bytes` made; nothing in them is ever executed.

    Raises:
        ValueError: they are not exactly such bytes.
    """
    try:
        arrays = dict(_arrays(data))
        if weights_bytes(arrays) == data:
            return arrays
    except (ValueError, KeyError, TypeError, SyntaxError, InputRejected, RecursionError):
        pass
    raise ValueError("expected named arrays in the one form that they have")


def _arrays(data: bytes) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    parts, position = [], len(_LABEL)
    while position < len(data):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        parts.append(data[start:position])
    for header, content in zip(parts[::2], parts[1::2], strict=True):
        described = json.loads(header)
        array = np.frombuffer(content, np.dtype(f"<{described['type']}"))
        yield described["name"], array.reshape(described["shape"])


def _parts(arrays: Mapping[str, ArrayLike]) -> Iterator[bytes]:
    if not isinstance(arrays, Mapping) or not arrays:
        raise InputRejected("WEIGHTS_INVALID", "expected arrays by name, got none")
    if not all(isinstance(name, str) and name and _is_unicode(name) for name in arrays):
        raise InputRejected("WEIGHTS_INVALID", "expected names that are Unicode text and not empty")
    yield _LABEL
    for name in sorted(arrays, key=str.encode):
        for part in _array_bytes(name, arrays[name]):
            yield len(part).to_bytes(_LENGTH_BYTES, "big")
            yield part


def _array_bytes(name: str, values: ArrayLike) -> tuple[bytes, bytes]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputRejected("WEIGHTS_INVALID", f"array {name}: its rows differ in length") from error
    if array.dtype.kind not in _KINDS or array.dtype.itemsize > _LARGEST_ITEM_BYTES:
        raise InputRejected(
            "WEIGHTS_INVALID",
            f"array {name}: got elements of type {array.dtype}, expected numbers up to 64 bits",
        )
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    header = {"name": name, "shape": list(array.shape), "type": array.dtype.str[1:]}
    return canonical.encode(header), little.tobytes(order="C")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
