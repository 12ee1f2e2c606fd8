"""A pandas frame of consents, checked as a whole before anything is sent."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from consentry.errors import FrameRejected, InputRejected, RowProblem
from consentry_records.consent import MAXIMUM_TERMS, ConsentTerms
from consentry_records.errors import FieldError, LedgerError, field_invalid
from consentry_records.instants import format_instant
from consentry_records.kinds import DIGEST, INSTANT, Choice
from consentry_records.private_consent import (
    CONSENT_TYPES,
    JURISDICTION,
    LANGUAGE,
    SUBJECT,
    PrintableText,
    PrivateConsent,
)
from consentry_records.templates import Template

_Shared = TypeVar("_Shared")
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
OPTIONAL_COLUMNS = (
    "controller",
    "claimed_at",
    "jurisdiction",
    "withdrawal_method",
    "declared_by",
    "mandate_digest",
    "consent_type",
    "storage_locations",
    "retained_until",
)
_TERMS = (
    "controller",
    "purposes",
    "restrictions",
    "categories",
    "recipients",
    "not_before",
    "not_after",
    "notice_digest",
)
_MANNER = (
    "notice_version",
    "method",
    "language",
    "jurisdiction",
    "withdrawal_method",
    "declared_by",
    "mandate_digest",
    "consent_type",
    "storage_locations",
    "retained_until",
)
_NO_DIGEST = "sha256:" + "0" * 64
_NO_SALT = "0" * 64


@dataclass(frozen=True, slots=True)
class Manner:
    """How consents that were given alike were given; they differ in subject and evidence only."""

    template: Template = field(repr=False)

    def document(self, pseudonym: str, salt: bytes, evidence_digest: str) -> bytes:
        """The canonical JSON of one PrivateConsent."""
        written = json.dumps(pseudonym, ensure_ascii=False)
        return self.template.fill(written, f'"{salt.hex()}"', f'"{evidence_digest}"')


@dataclass(frozen=True, slots=True)
class FrameConsent:
    """One valid row: whose consent (left out of `repr`), its terms, when it was given, and how."""

    pseudonym: str = field(repr=False)
    terms: ConsentTerms
    claimed_at: str | None
    evidence_digest: str = field(repr=False)
    manner: Manner = field(repr=False)


def read_consent_frame(frame: pd.DataFrame, controller: str) -> list[FrameConsent]:
    """Check every row and return them in order.

    `purposes`, `restrictions`, `categories` and `recipients` hold lists of codes; times are datetimes with a
    zone, or instants as text; digests are `sha256:<hex>`; the rest is text. Optional: `controller` (an MSP
    id; where the column lacks, the argument), `claimed_at` (when the consent was given, if earlier than now),
    `jurisdiction` (ISO 3166), `withdrawal_method`, `declared_by` (subject, guardian, proxy) and its
    `mandate_digest`, `consent_type` (explicit, expressed, implied), `storage_locations` (a list of ISO 3166
    codes), `retained_until` (a time).

    Raises:
        InputRejected: FRAME_EMPTY or FRAME_COLUMNS.
        FrameRejected: with every fault of every row.
    """
    _check_columns(frame)
    columns = {name: list(frame[name]) for name in frame.columns}
    defaults = {"controller": controller, "declared_by": SUBJECT}
    for name in OPTIONAL_COLUMNS:
        columns.setdefault(name, [defaults.get(name)] * len(frame))
    reader = _Reader(columns)
    consents = reader.read()
    if reader.problems:
        raise FrameRejected(reader.problems)
    return consents


class _Reader:
    """Reads a frame by columns; values, terms and manners that rows share are checked once."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._faults: dict[int, list[RowProblem]] = {}
        self._columns = {name: self._column(name, read, columns[name]) for name, read in _READERS.items()}
        self._terms: dict[tuple[Any, ...], ConsentTerms | list[tuple[str, LedgerError]]] = {}
        self._manners: dict[tuple[Any, ...], Manner | list[tuple[str, LedgerError]]] = {}

    @property
    def problems(self) -> list[RowProblem]:
        """Every fault found, by rows."""
        return [problem for row in sorted(self._faults) for problem in self._faults[row]]

    def read(self) -> list[FrameConsent]:
        """The consents of the rows without faults."""
        columns = self._columns
        consents = []
        terms_of = zip(*(columns[name] for name in _TERMS), strict=True)
        manner_of = zip(*(columns[name] for name in _MANNER), strict=True)
        for row, (terms_key, manner_key) in enumerate(zip(terms_of, manner_of, strict=True)):
            if row in self._faults:
                continue
            terms = self._shared(self._terms, _TERMS, terms_key, row, _terms)
            if terms is None:
                continue
            manner = self._shared(self._manners, _MANNER, manner_key, row, _manner)
            if manner is None:
                continue
            consents.append(
                FrameConsent(
                    pseudonym=columns["pseudonym"][row],
                    terms=terms,
                    claimed_at=columns["claimed_at"][row],
                    evidence_digest=columns["evidence_digest"][row],
                    manner=manner,
                )
            )
        return consents

    def _column(self, name: str, read: Callable[[object], Any], values: list[Any]) -> list[Any]:
        known: dict[Any, Any] = {}
        result = []
        for row, value in enumerate(values):
            key = _repeated(value)
            made = known.get(key)
            if made is None:
                try:
                    made = read(value)
                except LedgerError as error:
                    self._faults.setdefault(row, []).append(_problem(row, name, error))
                else:
                    known[key] = made if key is not None else None
            result.append(made)
        return result

    def _shared(
        self,
        made: dict[tuple[Any, ...], _Shared | list[tuple[str, LedgerError]]],
        names: tuple[str, ...],
        key: tuple[Any, ...],
        row: int,
        make: Callable[[dict[str, Any]], _Shared],
    ) -> _Shared | None:
        try:
            found = made.get(key)
        except TypeError:  # a list within a list, which the record refuses in words
            found = _made(dict(zip(names, key, strict=True)), make)
        else:
            if found is None:
                found = made[key] = _made(dict(zip(names, key, strict=True)), make)
        if isinstance(found, list):
            self._faults[row] = [_problem(row, column, error) for column, error in found]
            return None
        return found


def _repeated(value: object) -> object:
    """What tells a value that may come again in its column; None for others, which are read each time."""
    if isinstance(value, str | datetime):
        return value
    if isinstance(value, list) and all(type(item) is str for item in value):
        return tuple(value)
    return None


def _made(
    fields: dict[str, Any], make: Callable[[dict[str, Any]], _Shared]
) -> _Shared | list[tuple[str, LedgerError]]:
    return _record_faults(fields, make) or make(fields)


def _terms(fields: dict[str, Any]) -> ConsentTerms:
    return ConsentTerms(**fields)


def _manner(fields: dict[str, Any]) -> Manner:
    own: dict[str, Any] = {"pseudonym": _NO_PSEUDONYM, "salt": _NO_SALT, "evidence_digest": _NO_DIGEST}
    return Manner(Template(PrivateConsent(**fields, **own), own))


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


def _record_faults(
    fields: dict[str, Any], make: Callable[[dict[str, Any]], object]
) -> list[tuple[str, LedgerError]]:
    """Find all faults of a record that stops at the first: mend each faulty field and try again."""
    faults: list[tuple[str, LedgerError]] = []
    candidate = dict(fields)
    for _ in fields:
        try:
            make(candidate)
        except FieldError as error:
            column = str(error.fields["field"]).partition("[")[0]
            faults.append((column, error))
            if column not in _VALID:
                break
            candidate[column] = _VALID[column]
        except LedgerError as error:
            column = "mandate_digest" if error.code == "MANDATE_INVALID" else "not_after"
            faults.append((column, error))
            break
        else:
            break
    return faults


def _problem(row: int, column: str, error: LedgerError) -> RowProblem:
    fields = error.fields
    message = f"got {fields['got']}, expected {fields['expected']}" if "expected" in fields else error.message
    return RowProblem(row, column, error.code, message)


def _pseudonym(value: object) -> str:
    text = PRINTABLE.read(value)
    # The same name in two normal forms would be two subjects, and a withdrawal of one would miss the other.
    if not unicodedata.is_normalized("NFC", text):
        raise field_invalid("text in Unicode normal form C", value)
    return text


def _optional(read: Callable[[object], Any]) -> Callable[[object], Any]:
    # An empty cell of a CSV file is an empty text, one of a frame NaN, NaT or None.
    return lambda value: (
        None
        if value is None or value == "" or (not isinstance(value, str) and value != value)
        else read(value)
    )


def _codes(value: object) -> tuple[object, ...]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise field_invalid("a list of codes", value)
    return tuple(value)


def _codes_or_none(value: object) -> tuple[object, ...]:
    return () if value is None or (isinstance(value, float) and value != value) else _codes(value)


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


PRINTABLE = PrintableText()
_NO_PSEUDONYM = "(pseudonym)"
_READERS: dict[str, Callable[[object], Any]] = {
    "pseudonym": _pseudonym,
    "purposes": _codes,
    "restrictions": _codes,
    "categories": _codes,
    "recipients": _codes,
    "not_before": _instant,
    "not_after": _instant,
    "notice_version": PRINTABLE.read,
    "notice_digest": _any,
    "evidence_digest": DIGEST.read,
    "method": PRINTABLE.read,
    "language": LANGUAGE.read,
    "controller": _any,
    "claimed_at": _optional(lambda value: INSTANT.read(_instant(value))),
    "jurisdiction": _optional(JURISDICTION.read),
    "withdrawal_method": _optional(PRINTABLE.read),
    "declared_by": _any,
    "mandate_digest": _optional(DIGEST.read),
    "consent_type": _optional(Choice(CONSENT_TYPES).read),
    "storage_locations": _codes_or_none,
    "retained_until": _optional(lambda value: INSTANT.read(_instant(value))),
}
# Stand-ins for a faulty field while the others are checked.
_VALID: dict[str, Any] = {
    "purposes": ("TREAT",),
    "restrictions": (),
    "categories": ("none",),
    "recipients": ("ANY_MEMBER",),
    "not_before": "1970-01-01T00:00:00.000Z",
    "not_after": "9999-12-31T23:59:59.999Z",
    "notice_digest": _NO_DIGEST,
    "controller": "MSP",
    "storage_locations": (),
}


def batches(consents: Sequence[FrameConsent], size: int) -> list[list[FrameConsent]]:
    """Cut into batches of at most `size` with few enough terms, one subject's consents together if they fit.

    Two batches that write one subject's key at once would void one another (MVCC).
    """
    groups: dict[str, list[FrameConsent]] = {}
    for consent in consents:
        groups.setdefault(consent.pseudonym, []).append(consent)
    result: list[list[FrameConsent]] = [[]]
    terms: set[int] = set()
    step = min(size, MAXIMUM_TERMS)
    for group in groups.values():
        for start in range(0, len(group), step):
            part = group[start : start + step]
            # Equal terms are one object here, so that their identity tells them apart.
            more = terms.union(id(consent.terms) for consent in part)
            if len(result[-1]) + len(part) > size or len(more) > MAXIMUM_TERMS:
                result.append([])
                more = {id(consent.terms) for consent in part}
            result[-1].extend(part)
            terms = more
    return result
