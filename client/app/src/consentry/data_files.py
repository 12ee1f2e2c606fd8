"""Data files as frames: CSV and Parquet, whole or piece by piece where they exceed memory.

Parquet is read with Arrow's types, so that what a column is does not depend on which rows a piece holds or on
pandas' version: whole numbers stay whole beside missing values, and text stays text.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from consentry.errors import InputRejected

PIECE_ROWS = 50_000
SUBJECT_COLUMN = "pseudonym"
_PARQUET = ".parquet"


def read_frames(
    path: Path, subject_column: str = SUBJECT_COLUMN, rows: int = PIECE_ROWS
) -> Iterator[pd.DataFrame]:
    """Yield a file's rows in pieces of at most `rows`; `subject_column` is read as text.

    A name that ends in .parquet is Parquet (needs `consentry[parquet]`), any other a CSV file in UTF-8 with a
    header. In CSV a column's kind is guessed from each piece: where pieces differ, registration refuses.

    Raises:
        InputRejected: FILE_UNREADABLE, PARQUET_MISSING.
    """
    return read_parquet(path, rows) if is_parquet(path) else read_csv(path, subject_column, rows)


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet by its name's ending."""
    return path.suffix.lower() == _PARQUET


def read_csv(
    path: Path, subject_column: str = SUBJECT_COLUMN, rows: int = PIECE_ROWS
) -> Iterator[pd.DataFrame]:
    """Yield a CSV file's rows as `read_frames` does, whatever its name."""
    return _csv(path, {subject_column: str}, rows)


def read_parquet(path: Path, rows: int = PIECE_ROWS) -> Iterator[pd.DataFrame]:
    """Yield a Parquet file's rows as `read_frames` does, whatever its name."""
    return _parquet(path, rows)


def write_frames(path: Path, frames: Iterable[pd.DataFrame]) -> int:
    """Write pieces of the same columns to one file, Parquet by its name's ending, else CSV; return the rows.

    The file is there once it is whole.

    Raises:
        InputRejected: PARQUET_MISSING; FILE_UNWRITABLE; SCHEMA_DIFFERS, a piece's columns are of other kinds.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        rows = _write_parquet(part, frames) if is_parquet(path) else _write_csv(part, frames)
        part.replace(path)
    except OSError as error:
        raise InputRejected("FILE_UNWRITABLE", f"{path} cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)
    return rows


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
        pieces = _read(
            path,
            "CSV",
            lambda: pd.read_csv(path, encoding="utf-8", dtype=types, chunksize=rows, index_col=False),
        )
        with pieces:
            while True:
                piece = _read(path, "CSV", lambda: next(pieces, None))
                if piece is None:
                    return
                yield piece.reset_index(drop=True)


def _parquet(path: Path, rows: int, *, numpy_types: bool = False) -> Iterator[pd.DataFrame]:
    parquet = _pyarrow_parquet()
    file = _read(path, "Parquet", lambda: parquet.ParquetFile(path))
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


def _write_csv(path: Path, frames: Iterable[pd.DataFrame]) -> int:
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, frame in enumerate(frames):
            frame.to_csv(file, index=False, header=number == 0)
            rows += len(frame)
    return rows


def _write_parquet(path: Path, frames: Iterable[pd.DataFrame]) -> int:
    parquet = _pyarrow_parquet()
    import pyarrow

    rows = 0
    with ExitStack() as stack:
        writer = None
        for frame in frames:
            table = pyarrow.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                writer = stack.enter_context(parquet.ParquetWriter(path, table.schema))
            if table.schema != writer.schema:
                raise InputRejected("SCHEMA_DIFFERS", f"rows from {rows} on have columns of other kinds")
            writer.write_table(table)
            rows += len(frame)
    return rows


def _pyarrow_parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputRejected(
            "PARQUET_MISSING", "Parquet needs pyarrow: pip install 'consentry[parquet]'"
        ) from error
    return pyarrow.parquet
