"""Data files as frames: CSV and Parquet, whole or piece by piece where they exceed memory.

Parquet is read with Arrow's types, so that what a column is does not depend on which rows a piece holds or on
pandas' version: whole numbers stay whole beside missing values, and text stays text.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from consentry.errors import InputRejected

PIECE_ROWS = 50_000
_PARQUET = ".parquet"


def read_frames(
    path: Path, subject_column: str = "pseudonym", rows: int = PIECE_ROWS
) -> Iterator[pd.DataFrame]:
    """Yield a file's rows in pieces of at most `rows`; `subject_column` is read as text.

    A name that ends in .parquet is Parquet (needs `consentry[parquet]`), any other a CSV file in UTF-8 with a
    header. In CSV a column's kind is guessed from each piece: where pieces differ, registration refuses.

    Raises:
        InputRejected: FILE_UNREADABLE, PARQUET_MISSING.
    """
    if path.suffix.lower() == _PARQUET:
        return _parquet(path, rows)
    return _csv(path, {subject_column: str}, rows)


def read_consents_parquet(path: Path) -> pd.DataFrame:
    """Return a Parquet file of consents whole; lists are Parquet lists.

    Raises:
        InputRejected: FILE_UNREADABLE, PARQUET_MISSING.
    """
    frames = list(_parquet(path, PIECE_ROWS, numpy_types=True))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _csv(path: Path, types: dict[str, type], rows: int) -> Iterator[pd.DataFrame]:
    with warnings.catch_warnings():
        # Rows longer than the header would lose their ends with a warning only.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        pieces = _read(path, "CSV", lambda: pd.read_csv(path, encoding="utf-8", dtype=types, chunksize=rows))
        with pieces:
            while True:
                piece = _read(path, "CSV", lambda: next(pieces, None))
                if piece is None:
                    return
                yield piece.reset_index(drop=True)


def _parquet(path: Path, rows: int, *, numpy_types: bool = False) -> Iterator[pd.DataFrame]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputRejected(
            "PARQUET_MISSING", "Parquet needs pyarrow: pip install 'consentry[parquet]'"
        ) from error
    file = _read(path, "Parquet", lambda: pyarrow.parquet.ParquetFile(path))
    with file:
        batches = file.iter_batches(batch_size=rows)
        while True:
            batch = _read(path, "Parquet", lambda: next(batches, None))
            if batch is None:
                return
            yield batch.to_pandas() if numpy_types else batch.to_pandas(types_mapper=pd.ArrowDtype)


def _read(path: Path, form: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (OSError, ValueError, UnicodeError, pd.errors.ParserWarning) as error:
        # Neither the parser's words nor its line go on: they can hold what the file says about people.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise InputRejected("FILE_UNREADABLE", f"{path} cannot be read as a {form} file ({reason})") from None
