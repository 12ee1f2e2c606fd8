"""Cells of a frame of consents: how each column's values are read."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from consentry_records.errors import field_invalid
from consentry_records.instants import format_instant
from consentry_records.kinds import DIGEST, INSTANT, Choice
from consentry_records.private_consent import CONSENT_TYPES, JURISDICTION, LANGUAGE, SUBJECT, PrintableText

NO_DIGEST = "sha256:" + "0" * 64
"""A digest of nothing, where only its form counts."""


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
    return _codes_or_unstated(value) or ()


def _codes_or_unstated(value: object) -> tuple[object, ...] | None:
    # An empty list says that there are none, no list that nobody said.
    return None if value is None or (isinstance(value, float) and value != value) else _codes(value)


def _instant(value: object) -> object:
    if isinstance(value, str):
        return _canonical(value)
    # pandas' NaT claims to be a datetime.
    if not isinstance(value, datetime) or pd.isna(value):
        raise field_invalid("a time with a zone, e.g. 2027-01-31T12:00:00Z", value)
    try:
        return format_instant(value)
    except (ValueError, OverflowError) as error:
        raise field_invalid("a time with a zone, from 1970 on", value) from error


def _canonical(text: str) -> str:
    """An ISO 8601 time with a zone as an instant; any other text as it is, for the record to refuse."""
    try:
        moment = datetime.fromisoformat(text)
        # A fraction of a millisecond would be lost.
        return text if moment.microsecond % 1000 else format_instant(moment)
    except (ValueError, OverflowError):
        return text


def _any(value: object) -> object:
    return value


PRINTABLE = PrintableText()
READERS: dict[str, Callable[[object], Any]] = {
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
    "processing_methods": _codes_or_none,
    "processing_locations": _codes_or_none,
    "geographic_restrictions": _codes_or_unstated,
    "optional_categories": _codes_or_unstated,
}
"""How a cell of each column is read; raises `LedgerError`."""

STAND_INS: dict[str, Any] = {
    "purposes": ("TREAT",),
    "restrictions": (),
    "categories": ("none",),
    "recipients": ("ANY_MEMBER",),
    "not_before": "1970-01-01T00:00:00.000Z",
    "not_after": "9999-12-31T23:59:59.999Z",
    "notice_digest": NO_DIGEST,
    "controller": "MSP",
    "notice_version": "1",
    "method": "form",
    "language": "en",
    "jurisdiction": None,
    "withdrawal_method": None,
    "declared_by": SUBJECT,
    "mandate_digest": None,
    "consent_type": None,
    "storage_locations": (),
    "retained_until": None,
    "processing_methods": (),
    "processing_locations": (),
    "geographic_restrictions": None,
    "optional_categories": None,
}
"""Values that hold, in the place of faulty ones while the rest of a row is looked at."""
