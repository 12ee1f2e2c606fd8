"""A dataset's rows, read piece by piece: each row's keyed digest, subject, and the consent it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from consentry.errors import FrameRejected, InputRejected, RowProblem
from consentry.frame_rows import frame_rows, frame_schema
from consentry.manifests import ManifestRow
from consentry.subjects import SubjectRegister
from consentry_records.rows import row_digest

RowsRead = Callable[[int], object]
"""Told how many rows are read so far."""


def read_rows(
    frames: Iterable[pd.DataFrame], subject_column: str, secret: bytes, register: SubjectRegister
) -> tuple[list[list[str]], list[ManifestRow]]:
    """Return the schema and the manifest of a version's rows, with one frame in memory at a time.

    Raises:
        InputRejected: FRAME_EMPTY, FRAME_COLUMNS, COLUMN_KIND; SCHEMA_DIFFERS, a frame's columns or their
            kinds are not those of the first.
        FrameRejected: rows without a recorded consent, or values without an exact form.
    """
    schema: list[list[str]] | None = None
    manifest: list[ManifestRow] = []
    for frame in frames:
        if subject_column not in frame.columns:
            raise InputRejected("FRAME_COLUMNS", f"the frame has no column {subject_column}")
        features = frame.drop(columns=[subject_column])
        found = frame_schema(features)
        if schema is not None and found != schema:
            raise InputRejected("SCHEMA_DIFFERS", f"rows from {len(manifest)} on have other columns or kinds")
        schema = found
        links = _consents_of_rows(register, frame, subject_column)
        rows = frame_rows(features, schema)
        manifest.extend(
            ManifestRow(row_digest(secret, row), commitment, consent_id)
            for row, (commitment, consent_id) in zip(rows, links, strict=True)
        )
    if schema is None:
        raise InputRejected("FRAME_EMPTY", "got no frame, expected at least one")
    return schema, manifest


def counted(files: Iterable[Iterable[pd.DataFrame]], progress: RowsRead | None) -> Iterator[pd.DataFrame]:
    """Yield the pieces of files in order, and tell how many rows of them were taken."""
    rows = 0
    for pieces in files:
        for piece in pieces:
            yield piece
            rows += len(piece)
            if progress is not None:
                progress(rows)


def _consents_of_rows(
    register: SubjectRegister, frame: pd.DataFrame, subject_column: str
) -> list[tuple[str, str]]:
    names = [name if isinstance(name, str) else "" for name in frame[subject_column]]
    subjects = register.commitments(names)
    consents = register.latest_consents(set(names))
    missing = [position for position, name in enumerate(names) if name not in consents]
    if missing:
        raise FrameRejected(
            [
                RowProblem(row, subject_column, "NO_CONSENT", "the subject has no recorded consent")
                for row in missing
            ]
        )
    return [(subjects[name], consents[name]) for name in names]
