"""An empty form for files of consents."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

from consentry.errors import InputRejected
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant, shift

_TEN_YEARS_MILLISECONDS = 10 * 365 * 24 * 3600 * 1000

_NOTICE_SAYS = {
    "jurisdiction": "IE",
    "withdrawal_method": "letter or portal",
    "consent_type": "explicit",
    "storage_locations": "IE",
    "retained_until": "",
    "processing_methods": "collect;store;use;make-available",
    "processing_locations": "IE;DE",
    "geographic_restrictions": "EEA",
    "optional_categories": "none",
}


def consent_template(
    notice: Path | None, now: datetime | None = None, *, notice_columns: bool = False
) -> str:
    """A CSV file of consents: the header, and one row as an example that names nobody.

    The row is refused as it stands, for its pseudonym is empty: an example is nobody's consent.

    Args:
        notice: the notice that patients are given; its digest fills the column.
        now: the present, with a zone; by default the clock's.
        notice_columns: with the optional columns of what a notice says (ISO/IEC TS 27560).

    Raises:
        InputRejected: FILE_UNREADABLE.
    """
    begin = format_instant(now or datetime.now(UTC))
    row = {
        "pseudonym": "",
        "purposes": "TREAT;DUO:0000006",
        "restrictions": "DUO:0000046",
        "categories": "diagnosis;imaging",
        "recipients": "ANY_MEMBER",
        "not_before": begin,
        "not_after": shift(begin, _TEN_YEARS_MILLISECONDS),
        "notice_version": "1",
        "notice_digest": _digest(notice) if notice else "sha256:<of the notice>",
        "evidence_digest": "sha256:<of the signed form>",
        "method": "paper form",
        "language": "en",
    }
    if notice_columns:
        row |= _NOTICE_SAYS
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, fieldnames=list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return written.getvalue()


def _digest(path: Path) -> str:
    try:
        return sha256_digest(path.read_bytes())
    except OSError as error:
        raise InputRejected("FILE_UNREADABLE", f"{path} cannot be read ({error.strerror}).") from None
