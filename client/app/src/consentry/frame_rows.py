"""A frame's rows and schema as exactly defined values, so that digests of them can be recomputed anywhere.

Each value becomes JSON: missing → null; truth values → true, false; whole numbers → the number (as decimal
text beyond 53 bits); binary64 numbers → the shortest decimal text that reads back as the same number
(Python's `repr`, e.g. "17.99", "1e-07"); times with a zone → an instant (milliseconds, finer times are
refused); text as it is. The schema is the list of [column name, kind] in column order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from consentry.errors import FrameRejected, InputRejected, RowProblem
from consentry_records import canonical
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant

RowValue = str | int | bool | None
_LARGEST_INTEGER = 2**53 - 1
_PLAIN_FROM = 1e-4


class _Unfit(Exception):
    """A value that has no exact form."""


def frame_schema(frame: pd.DataFrame) -> list[list[str]]:
    """Return [column name, kind] in column order; kinds: boolean, integer, number, instant, text.

    Raises:
        InputRejected: FRAME_COLUMNS, a name that is no text or comes twice; COLUMN_KIND, a kind that has no
            exact form.
    """
    names = list(frame.columns)
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise InputRejected("FRAME_COLUMNS", "column names must be text, each different and not empty")
    return [[name, _kind(frame[name])] for name in names]


def schema_digest(schema: list[list[str]]) -> str:
    """Return `sha256:<hex>` of the schema's canonical JSON."""
    return sha256_digest(canonical.encode(schema))


def frame_rows(frame: pd.DataFrame, schema: list[list[str]]) -> Iterator[dict[str, RowValue]]:
    """Yield each row as values by column name.

    Raises:
        FrameRejected: values without an exact form, all listed.
    """
    problems: list[RowProblem] = []
    columns = [_exact_column(frame[name], kind, problems) for name, kind in schema]
    if problems:
        raise FrameRejected(sorted(problems, key=lambda problem: problem.row))
    names = [name for name, _ in schema]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _kind(column: pd.Series[Any]) -> str:
    types = pd.api.types
    dtype = column.dtype
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_float_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "instant"
    if types.is_string_dtype(dtype) or types.is_object_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return "text"
    raise InputRejected("COLUMN_KIND", f"column {column.name}: values of type {dtype} have no exact form")


def _exact_column(column: pd.Series[Any], kind: str, problems: list[RowProblem]) -> list[RowValue]:
    missing = column.isna().to_numpy()
    if kind == "number" and (numbers := _exact_numbers(column, missing)) is not None:
        return numbers
    exact = _EXACT[kind]
    values: list[RowValue] = []
    for position, value in enumerate(column):
        if missing[position]:
            values.append(None)
            continue
        try:
            values.append(exact(value))
        except _Unfit as error:
            problems.append(RowProblem(position, str(column.name), "VALUE_UNFIT", str(error)))
    return values


def _exact_numbers(column: pd.Series[Any], missing: npt.NDArray[np.bool_]) -> list[RowValue] | None:
    """The same values as one by one, many times as fast; None where one of them may have no exact form."""
    try:
        numbers = column.to_numpy(na_value=np.nan)
    except (TypeError, ValueError):
        return None
    if numbers.dtype not in (np.float64, np.float32, np.float16) or not np.isfinite(numbers[~missing]).all():
        return None
    if not len(numbers):
        return []
    values: list[RowValue] = [*_texts(numbers.tolist())]
    for place in np.flatnonzero(missing).tolist():
        values[place] = None
    return values


def _texts(numbers: list[float]) -> Iterator[str]:
    """`repr` of each number. orjson finds the same shortest digits faster; what has an exponent in the one
    form or the other is left to `repr` (a test compares). A missing number's text is nobody's.
    """
    for text, number in zip(orjson.dumps(numbers)[1:-1].decode().split(","), numbers, strict=True):
        is_plain = "e" not in text and not (number and -_PLAIN_FROM < number < _PLAIN_FROM)
        yield text if is_plain else repr(number)


def _integer(value: Any) -> RowValue:
    number = int(value)
    return number if abs(number) <= _LARGEST_INTEGER else str(number)


def _number(value: Any) -> RowValue:
    number = float(value)
    if isinstance(value, np.floating) and value.dtype.itemsize > 8:
        raise _Unfit("got more than binary64, expected binary64 or less")
    if not math.isfinite(number):
        raise _Unfit("got an infinite number, expected a finite one")
    return repr(number)


def _instant(value: datetime) -> RowValue:
    if value.microsecond % 1000 or getattr(value, "nanosecond", 0):
        raise _Unfit("got a time finer than a millisecond; round it first")
    try:
        return format_instant(value)
    except ValueError as error:
        raise _Unfit("got a time without a zone or before 1970") from error


def _text(value: Any) -> RowValue:
    if not isinstance(value, str):
        raise _Unfit(f"got {type(value).__name__}, expected text")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise _Unfit("got text that is not Unicode")
    return str(value)


_EXACT: dict[str, Callable[[Any], RowValue]] = {
    "boolean": bool,
    "integer": _integer,
    "number": _number,
    "instant": _instant,
    "text": _text,
}
