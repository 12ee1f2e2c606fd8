"""A pandas frame of consents, checked as a whole before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from consentry.errors import FrameRejected, InputRejected, RowProblem
from consentry.identifiers import new_identifier
from consentry_records.consent import NewConsent
from consentry_records.errors import FieldError, LedgerError, field_invalid
from consentry_records.instants import format_instant
from consentry_records.kinds import DIGEST

COLUMNS = (
    "pseudonym",
    "purposes",
    "restrictions",
    "categories",
    "recipients",
    "not_before",
    "not_after",
    "notice_version",
    "notice_digest",
    "evidence_digest",
    "method",
    "language",
)
OPTIONAL_COLUMNS = ("controller",)
MAXIMUM_TEXT = 256
_PUBLIC = (
    "purposes",
    "restrictions",
    "categories",
    "recipients",
    "not_before",
    "not_after",
    "notice_digest",
    "controller",
)
_PRIVATE = ("notice_version", "evidence_digest", "method", "language")
_NO_SUBJECT = "hmac-sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class FrameConsent:
    """One valid row: whose consent (left out of `repr`), the public fields, the private ones."""

    pseudonym: str = field(repr=False)
    public: dict[str, Any]
    private: dict[str, str] = field(repr=False)

    def record(self, commitment: str) -> NewConsent:
        """Return the public record for the subject's commitment."""
        return NewConsent(**{**self.public, "subject": commitment})


def read_consent_frame(frame: pd.DataFrame, controller: str) -> list[FrameConsent]:
    """Check every row and return them in order; each gets a new consent id.

    `purposes`, `restrictions`, `categories` and `recipients` hold lists of codes; `not_before` and
    `not_after` times with a zone, or instants as text; digests are `sha256:<hex>`; the rest is text. A
    column `controller` is optional; `controller` is the MSP id where it lacks.

    Raises:
        InputRejected: FRAME_EMPTY or FRAME_COLUMNS.
        FrameRejected: with every fault of every row.
    """
    _check_columns(frame)
    columns = {name: list(frame[name]) for name in frame.columns}
    columns.setdefault("controller", [controller] * len(frame))
    problems: list[RowProblem] = []
    consents = [_read_row(columns, row, problems) for row in range(len(frame))]
    if problems:
        raise FrameRejected(problems)
    return [consent for consent in consents if consent is not None]


def _check_columns(frame: pd.DataFrame) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise InputRejected("FRAME_INVALID", f"got {type(frame).__name__}, expected a pandas DataFrame")
    names = [str(name) for name in frame.columns]
    missing = [name for name in COLUMNS if name not in names]
    unknown = [name for name in names if name not in COLUMNS + OPTIONAL_COLUMNS]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if missing or unknown or doubled:
        parts = [
            f"{what}: {', '.join(which)}"
            for what, which in (("missing", missing), ("unknown", unknown), ("doubled", doubled))
            if which
        ]
        raise InputRejected("FRAME_COLUMNS", f"the frame's columns do not fit: {'; '.join(parts)}")
    if frame.empty:
        raise InputRejected("FRAME_EMPTY", "the frame has no rows, expected at least one consent")


def _read_row(columns: dict[str, list[Any]], row: int, problems: list[RowProblem]) -> FrameConsent | None:
    values: dict[str, Any] = {}
    faulty = len(problems)
    for name, reader in _READERS.items():
        try:
            values[name] = reader(columns[name][row])
        except LedgerError as error:
            problems.append(_problem(row, name, error))
    if len(problems) > faulty:
        return None
    public = {name: values[name] for name in _PUBLIC} | {"consent_id": new_identifier("consent")}
    problems.extend(_record_problems(row, public))
    if len(problems) > faulty:
        return None
    return FrameConsent(values["pseudonym"], public, {name: values[name] for name in _PRIVATE})


def _record_problems(row: int, public: dict[str, Any]) -> list[RowProblem]:
    """Find all faults of a record that stops at the first: mend each faulty field and try again."""
    problems: list[RowProblem] = []
    candidate = dict(public)
    for _ in _PUBLIC:
        try:
            NewConsent(**candidate, subject=_NO_SUBJECT)
        except FieldError as error:
            column = str(error.fields["field"]).partition("[")[0]
            problems.append(_problem(row, column, error))
            if column not in _VALID:
                break
            candidate[column] = _VALID[column]
        except LedgerError as error:
            problems.append(_problem(row, "not_after", error))
            break
        else:
            break
    return problems


def _problem(row: int, column: str, error: LedgerError) -> RowProblem:
    fields = error.fields
    message = f"got {fields['got']}, expected {fields['expected']}" if "expected" in fields else error.message
    return RowProblem(row, column, error.code, message)


def _text(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAXIMUM_TEXT or not value.isprintable():
        raise field_invalid(f"printable text of 1 to {MAXIMUM_TEXT} characters", value)
    return str(value)


def _codes(value: object) -> tuple[object, ...]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise field_invalid("a list of codes", value)
    return tuple(value)


def _instant(value: object) -> object:
    if isinstance(value, str):
        return value
    # pandas' NaT claims to be a datetime.
    if not isinstance(value, datetime) or pd.isna(value):
        raise field_invalid("a time with a zone, or an instant YYYY-MM-DDTHH:MM:SS.mmmZ", value)
    try:
        return format_instant(value)
    except (ValueError, OverflowError) as error:
        raise field_invalid("a time with a zone, from 1970 on", value) from error


def _any(value: object) -> object:
    return value


_READERS: dict[str, Callable[[object], Any]] = {
    "pseudonym": _text,
    "purposes": _codes,
    "restrictions": _codes,
    "categories": _codes,
    "recipients": _codes,
    "not_before": _instant,
    "not_after": _instant,
    "notice_version": _text,
    "notice_digest": _any,
    "evidence_digest": DIGEST.read,
    "method": _text,
    "language": _text,
    "controller": _any,
}
# Stand-ins for a faulty field while the others are checked.
_VALID: dict[str, Any] = {
    "purposes": ("TREAT",),
    "restrictions": (),
    "categories": ("none",),
    "recipients": ("ANY_MEMBER",),
    "not_before": "1970-01-01T00:00:00.000Z",
    "not_after": "9999-12-31T23:59:59.999Z",
    "notice_digest": "sha256:" + "0" * 64,
    "controller": "MSP",
}


def batches(consents: Sequence[FrameConsent], size: int) -> list[list[FrameConsent]]:
    """Cut into batches of at most `size`, one subject's consents together where they fit.

    Two batches that write one subject's key at once would void one another (MVCC).
    """
    groups: dict[str, list[FrameConsent]] = {}
    for consent in consents:
        groups.setdefault(consent.pseudonym, []).append(consent)
    result: list[list[FrameConsent]] = [[]]
    for group in groups.values():
        for start in range(0, len(group), size):
            part = group[start : start + size]
            if len(result[-1]) + len(part) > size:
                result.append([])
            result[-1].extend(part)
    return result
