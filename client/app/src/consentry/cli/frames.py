"""Tables from CSV files, and times and lengths from what people type."""

from __future__ import annotations

import re
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from consentry.errors import InputRejected

if TYPE_CHECKING:
    import pandas as pd

LISTS = (
    "purposes",
    "restrictions",
    "categories",
    "recipients",
    "storage_locations",
    "processing_methods",
    "processing_locations",
)
STATED_LISTS = ("geographic_restrictions", "optional_categories")
"""Lists of which an empty cell says nothing, and the word `none` that there are none."""

_NONE = "none"
_DURATION = re.compile(r"(\d{1,9})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_consents(path: Path) -> pd.DataFrame:
    """Read a file of consents: text columns, and lists whose items are separated by semicolons.

    In a CSV file, `none` alone is an empty list in the columns `STATED_LISTS`.

    Args:
        path: a CSV file in UTF-8 with a header, or a Parquet file whose lists are lists.

    Raises:
        InputRejected: FILE_UNREADABLE, PARQUET_MISSING.
    """
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        from consentry.data_files import read_consents_parquet

        return read_consents_parquet(path)
    frame = _read(path)
    for name in LISTS:
        if name in frame.columns:
            frame[name] = [_items(cell) for cell in frame[name]]
    for name in STATED_LISTS:
        if name in frame.columns:
            frame[name] = pd.Series([_stated(_items(cell)) for cell in frame[name]], dtype=object)
    return frame


def _items(cell: object) -> list[str]:
    return [item.strip() for item in str(cell).split(";") if item.strip()]


def _stated(items: list[str]) -> list[str] | None:
    return [] if items == [_NONE] else items or None


def parse_duration(text: str) -> timedelta:
    """A length of time such as ``30d``, ``12h`` or ``90s``.

    Raises:
        InputRejected: DURATION_INVALID.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InputRejected(
            "DURATION_INVALID", f"A duration is a number and s, m, h, d or w, e.g. 30d; got {text!r}."
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_time(text: str) -> datetime:
    """A time with its zone, e.g. ``2027-01-31T12:00:00Z``.

    Raises:
        InputRejected: TIME_INVALID.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputRejected("TIME_INVALID", f"A time needs a zone, e.g. 2027-01-31T12:00:00Z; got {text!r}.")
    return moment


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            # Rows longer than the header would lose their ends with a warning only.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(path, encoding="utf-8", dtype=str, keep_default_na=False, index_col=False)
    except (OSError, ValueError, UnicodeError, pd.errors.ParserWarning) as error:
        # Neither the parser's words nor its line go on: they can hold what the file says about people.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise InputRejected(
            "FILE_UNREADABLE", f"{path} cannot be read as a CSV file in UTF-8 ({reason})."
        ) from None
    return frame
