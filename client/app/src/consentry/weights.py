"""Digests of numpy arrays over exactly defined bytes: model weights, updates, aggregates, test sets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

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
    if not isinstance(arrays, Mapping) or not arrays:
        raise InputRejected("WEIGHTS_INVALID", "expected arrays by name, got none")
    if not all(isinstance(name, str) and name and _is_unicode(name) for name in arrays):
        raise InputRejected("WEIGHTS_INVALID", "expected names that are Unicode text and not empty")
    digest = hashlib.sha256(_LABEL)
    for name in sorted(arrays, key=str.encode):
        for part in _array_bytes(name, arrays[name]):
            digest.update(len(part).to_bytes(_LENGTH_BYTES, "big"))
            digest.update(part)
    return SHA256_PREFIX + digest.hexdigest()


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
