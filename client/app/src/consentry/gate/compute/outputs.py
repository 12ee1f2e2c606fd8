"""What a function gave, read from bytes that are not to be believed, and written anew.

Only what was declared is taken: arrays of numbers and metrics, each no larger than it may be. What leaves the
gate are bytes of our own making, so that nothing travels beside the values.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from consentry.errors import InputRejected
from consentry.gate.compute.sandbox import RunEnded
from consentry.weights import read_weights, weights_bytes

ARRAYS = "arrays"
METRICS = "metrics"
MAXIMUM_ARRAYS = 10_000
MAXIMUM_METRICS = 256
MAXIMUM_DEPTH = 4
_ENDS = ("function-failed", "limit-exceeded", "outputs-refused")
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_METRIC_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TYPE = re.compile(r"b1|[iu][1248]|f[248]")
_LARGEST_NUMBER = 2**63


@dataclass(frozen=True, slots=True)
class Declared:
    """An output that a function declares: its kind, and the most bytes that it may have."""

    kind: str
    maximum_bytes: int


def read_outputs(data: bytes, declared: Mapping[str, Declared]) -> dict[str, bytes]:
    """Return each declared output's bytes, from what a sandbox wrote: arrays as `weights_bytes` writes them,
    metrics as JSON.

    Raises:
        RunEnded: what the sandbox says; outputs-refused, others than the declared ones, or larger.
    """
    line, _, rest = data.partition(b"\n")
    try:
        description = json.loads(line, parse_constant=_no_number)
        if isinstance(description, dict) and "failed" in description:
            raise RunEnded(description["failed"] if description["failed"] in _ENDS else "function-failed")
        outputs = _outputs(description, rest, declared)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise RunEnded("outputs-refused") from None
    if any(len(outputs[name]) > one.maximum_bytes for name, one in declared.items()):
        raise RunEnded("outputs-refused")
    return outputs


def typed(kind: str, data: bytes) -> Any:
    """Return an output's value: arrays by name, or metrics by name.

    Raises:
        InputRejected: OUTPUT_UNREADABLE.
    """
    try:
        if kind == ARRAYS:
            return read_weights(data)
        return check_metrics(json.loads(data, parse_constant=_no_number))
    except (ValueError, RecursionError) as error:
        raise InputRejected("OUTPUT_UNREADABLE", f"an output of kind {kind} cannot be read") from error


def check_metrics(value: Any) -> dict[str, Any]:
    """Return metrics: finite numbers or truth values by name, at most 256, in tables at most four deep.

    Raises:
        ValueError: something else.
    """
    if not isinstance(value, dict) or _count(value, MAXIMUM_DEPTH) > MAXIMUM_METRICS:
        raise ValueError("expected numbers by name")
    return value


def _outputs(description: Any, rest: bytes, declared: Mapping[str, Declared]) -> dict[str, bytes]:
    found = description["outputs"]
    if list(description) != ["outputs"] or set(found) != set(declared):
        raise ValueError("other outputs than declared")
    outputs, position = {}, 0
    for name, one in declared.items():
        if one.kind == METRICS:
            metrics = check_metrics(found[name])
            outputs[name] = json.dumps(metrics, sort_keys=True, separators=(",", ":")).encode()
            continue
        arrays, position = _arrays(found[name], rest, position)
        outputs[name] = weights_bytes(arrays)
    if position != len(rest):
        raise ValueError("more bytes than described")
    return outputs


def _arrays(described: Any, rest: bytes, position: int) -> tuple[dict[str, np.ndarray[Any, Any]], int]:
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    if not isinstance(described, list) or not 0 < len(described) <= MAXIMUM_ARRAYS:
        raise ValueError("expected arrays")
    for one in described:
        name, kind, shape = one["name"], one["type"], one["shape"]
        if not _ARRAY_NAME.fullmatch(name) or name in arrays or not _TYPE.fullmatch(kind):
            raise ValueError("not an array of numbers with a name")
        dtype = np.dtype(f"<{kind}")
        size = _elements(shape) * dtype.itemsize
        if size > len(rest) - position:
            raise ValueError("fewer bytes than described")
        arrays[name] = np.frombuffer(rest[position : position + size], dtype).reshape(shape)
        position += size
    return arrays, position


def _elements(shape: Sequence[Any]) -> int:
    """How many elements an array of that shape has."""
    if len(shape) > 32 or not all(type(extent) is int and 0 <= extent < _LARGEST_NUMBER for extent in shape):
        raise ValueError("not a shape")
    return math.prod(shape)


def _count(value: Mapping[str, Any], depth: int) -> int:
    """How many numbers there are; raises ValueError where anything else is."""
    count = 0
    for name, item in value.items():
        if not _METRIC_NAME.fullmatch(name):
            raise ValueError("not a metric's name")
        if isinstance(item, dict) and depth > 1:
            count += 1 + _count(item, depth - 1)
        elif isinstance(item, int | float) and abs(item) < _LARGEST_NUMBER and math.isfinite(item):
            count += 1
        else:
            raise ValueError("not a number")
    return count


def _no_number(text: str) -> None:
    raise ValueError("not a finite number")
