"""A pandas frame of consents, checked as a whole before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

from consentry.consent_cells import NO_DIGEST, READERS, STAND_INS
from consentry.consent_columns import Column, constant, read_column
from consentry.errors import FrameRejected, InputRejected, RowProblem
from consentry_records.consent import MAXIMUM_TERMS, ConsentTerms
from consentry_records.errors import FieldError, LedgerError, field_invalid
from consentry_records.private_consent import SUBJECT, PrivateConsent
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
    "processing_methods",
    "processing_locations",
    "geographic_restrictions",
    "optional_categories",
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
    "processing_methods",
    "processing_locations",
    "geographic_restrictions",
    "optional_categories",
)
_OWN = ("pseudonym", "claimed_at", "evidence_digest")
_WRITER = json.JSONEncoder(ensure_ascii=False)
_NO_PSEUDONYM = "(pseudonym)"
_NO_SALT = "0" * 64


@dataclass(frozen=True, slots=True)
class Manner:
    """How consents that were given alike were given; they differ in subject and evidence only.

    `optional_categories` are those of the data that their subjects could leave out.
    """

    template: Template = field(repr=False)
    optional_categories: tuple[str, ...] = ()

    def document(self, pseudonym: str, salt: bytes, evidence_digest: str) -> bytes:
        """The canonical JSON of one PrivateConsent."""
        return self.template.fill(_WRITER.encode(pseudonym), f'"{salt.hex()}"', f'"{evidence_digest}"')


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
    zone, or ISO 8601 text with one; digests are `sha256:<hex>`; the rest is text. Optional: `controller` (an
    MSP id; where the column lacks, the argument), `claimed_at` (when the consent was given, if earlier than
    now), `jurisdiction` (ISO 3166), `withdrawal_method`, `declared_by` (subject, guardian, proxy) and its
    `mandate_digest`, `consent_type` (explicit, expressed, implied), `storage_locations` (a list of ISO 3166
    codes), `retained_until` (a time), `processing_methods` (a list of `PROCESSING_METHODS`),
    `processing_locations` (a list of ISO 3166 codes), `geographic_restrictions` (a list of these, or EEA;
    empty for none, null for unstated), `optional_categories` (those of `categories` that the subject could
    leave out; likewise).

    Raises:
        InputRejected: FRAME_EMPTY or FRAME_COLUMNS.
        FrameRejected: with every fault of every row.
    """
    _check_columns(frame)
    defaults = {"controller": controller, "declared_by": SUBJECT}
    reader = _Reader(
        {
            name: read_column(frame[name], read)
            if name in frame.columns
            else constant(defaults.get(name), len(frame), read)
            for name, read in READERS.items()
        }
    )
    consents = reader.read()
    if reader.problems:
        raise FrameRejected(reader.problems)
    return consents


class _Reader:
    """Makes consents of a frame's columns; terms and manners that rows share are made once."""

    def __init__(self, columns: dict[str, Column]) -> None:
        self._columns = columns
        self._faults: dict[int, list[RowProblem]] = {}
        for name, column in columns.items():
            for row, place in enumerate(column.places) if column.faults else ():
                if place in column.faults:
                    self._faults.setdefault(row, []).append(_problem(row, name, column.faults[place]))

    @property
    def problems(self) -> list[RowProblem]:
        """Every fault found, by rows."""
        return [problem for row in sorted(self._faults) for problem in self._faults[row]]

    def read(self) -> list[FrameConsent]:
        """The consents of the rows without faults."""
        terms_of: dict[tuple[int, ...], ConsentTerms | None] = {}
        manner_of: dict[tuple[int, ...], Manner | None] = {}
        own = zip(*(self._columns[name].cells() for name in _OWN), strict=True)
        consents = []
        for row, (terms_key, manner_key, (pseudonym, claimed_at, evidence_digest)) in enumerate(
            zip(self._places(_TERMS), self._places(_MANNER), own, strict=True)
        ):
            if terms_key not in terms_of:
                terms_of[terms_key] = _made(self._values(_TERMS, row), _terms)
            if manner_key not in manner_of:
                manner_of[manner_key] = _made(self._values(_MANNER, row), _manner)
            terms, manner = terms_of[terms_key], manner_of[manner_key]
            if row in self._faults or terms is None or manner is None or _strangers(terms, manner):
                self._find_all_faults(row)
                continue
            consents.append(FrameConsent(pseudonym, terms, claimed_at, evidence_digest, manner))
        return consents

    def _places(self, names: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
        return zip(*(self._columns[name].places for name in names), strict=True)

    def _values(self, names: tuple[str, ...], row: int) -> dict[str, Any]:
        columns = self._columns
        return {name: columns[name].values[columns[name].places[row]] for name in names}

    def _find_all_faults(self, row: int) -> None:
        """What else is wrong with a row, were the values mended that are known to be faulty."""
        faults = self._faults.setdefault(row, [])
        known = {problem.column for problem in faults}
        for names, make in ((_TERMS, _terms), (_MANNER, _manner)):
            mended = {name: STAND_INS[name] for name in names if name in known}
            faults += [
                _problem(row, *fault) for fault in _record_faults(self._values(names, row) | mended, make)
            ]
        if not faults:
            (value,) = self._values(("optional_categories",), row).values()
            stranger = field_invalid("categories that the consent names", value)
            faults.append(_problem(row, "optional_categories", stranger))


def _strangers(terms: ConsentTerms, manner: Manner) -> bool:
    """Whether categories of data are said to be optional that the consent does not name."""
    return bool(manner.optional_categories) and not set(manner.optional_categories).issubset(terms.categories)


def _made(fields: dict[str, Any], make: Callable[[dict[str, Any]], _Shared]) -> _Shared | None:
    try:
        return make(fields)
    except LedgerError:
        return None


def _terms(fields: dict[str, Any]) -> ConsentTerms:
    return ConsentTerms(**fields)


def _manner(fields: dict[str, Any]) -> Manner:
    own: dict[str, Any] = {"pseudonym": _NO_PSEUDONYM, "salt": _NO_SALT, "evidence_digest": NO_DIGEST}
    document = PrivateConsent(**fields, **own)
    return Manner(Template(document, own), document.optional_categories or ())


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
            if column not in STAND_INS:
                break
            candidate[column] = STAND_INS[column]
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
            more = {id(consent.terms) for consent in part} - terms
            if len(result[-1]) + len(part) > size or len(terms) + len(more) > MAXIMUM_TERMS:
                result.append([])
                terms = set()
                more = {id(consent.terms) for consent in part}
            result[-1].extend(part)
            terms |= more
    return result
