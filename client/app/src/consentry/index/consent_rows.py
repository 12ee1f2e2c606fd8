"""The rows that `permitted_subjects` asks: consents in force with their terms, and limits of subjects."""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from consentry.index.bulk import insert_rows
from consentry.index.interpretation import RecordWrite
from consentry.index.record_kinds import SUBJECT
from consentry.index.schema import consent_days, consent_terms, given_consents, records, subject_limits
from consentry_records.consent import GIVEN
from consentry_records.errors import LedgerError
from consentry_records.subject import ERASURE, SubjectConsents
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.updates import PublicUpdate

CONSENT = "consent"
NOBODY = ""
"""Custodian of a subject whose record cannot be read."""

ConsentDay = tuple[str, str, bool]
"""MSP id of a custodian, a day (``YYYY-MM-DD``, UTC), and whether a consent began to hold then or ended."""

_SUBJECT_KEYS = f"{SUBJECT}/"
# Canonical JSON has no other way to say it, and a quotation mark within a text is always escaped.
_UNLIMITED = b'"limits":[]'
_IDS_PER_QUERY = 400


def consent_row(write: RecordWrite, honoured: bool) -> dict[str, Any] | None:
    """The row of a consent that was written; None where it is not in force or not honoured.

    `terms` are its purposes, restrictions and recipients, the custodian among them, as JSON.
    """
    body = write.body
    if body is None or not honoured or body["state"] != GIVEN:
        return None
    terms = (body["purposes"], body["restrictions"], [*body["recipients"], body["custodian"]])
    return {
        "consent_id": write.record_id,
        "subject": body["subject"],
        "custodian": body["custodian"],
        "terms": json.dumps(terms, separators=(",", ":")),
        "not_before": body["not_before"],
        "not_after": body["not_after"],
    }


def store_consents(
    connection: Connection, consents: Mapping[str, dict[str, Any] | None], known: Container[str]
) -> None:
    """Replace the rows of consents by what a block made of them.

    Args:
        connection: the index.
        consents: the row of each; None for those not in force.
        known: ids of those that may have a row already.
    """
    before = [{"of_consent": name} for name in consents if name in known]
    if before:
        this = given_consents.c.consent_id == bindparam("of_consent")
        connection.execute(delete(given_consents).where(this), before)
    rows = [row for row in consents.values() if row is not None]
    if rows:
        digests = _store_terms(connection, {row["terms"] for row in rows})
        insert_rows(connection, given_consents, [{**row, "terms": digests[row["terms"]]} for row in rows])


def store_consent_days(connection: Connection, changed: Mapping[ConsentDay, int]) -> None:
    """Add to the numbers of consents that began and ended on a day."""
    table = consent_days.c
    for custodian, day in sorted({key[:2] for key in changed}):
        this = (table.custodian == custodian) & (table.day == day)
        row = connection.execute(select(table.began, table.ended).where(this)).first()
        began, ended = (changed.get((custodian, day, holds), 0) for holds in (True, False))
        if row is None:
            values = {"custodian": custodian, "day": day, "began": began, "ended": ended}
            connection.execute(insert(consent_days), values)
        else:
            values = {"began": row.began + began, "ended": row.ended + ended}
            connection.execute(update(consent_days).where(this), values)


def store_limits(connection: Connection, updates: Iterable[PublicUpdate], namespace: str) -> None:
    """Replace the limits of the subjects that a block wrote."""
    written = {
        update.key.removeprefix(_SUBJECT_KEYS): update.value
        for update in updates
        if update.namespace == namespace and update.key.startswith(_SUBJECT_KEYS)
    }
    if not written:
        return
    this = subject_limits.c.subject == bindparam("of_subject")
    connection.execute(delete(subject_limits).where(this), [{"of_subject": name} for name in written])
    rows = [row for name, value in written.items() if value is not None and (row := limits_row(name, value))]
    if rows:
        connection.execute(insert(subject_limits), rows)


def never_limited(connection: Connection, rwsets: Iterable[ReadWriteSet], namespace: str) -> set[str]:
    """Keys of the subjects that a block wrote who have no limits and never had any.

    Args:
        connection: the index.
        rwsets: of the block's valid transactions: one that limits counts, though a later one lifts the limit.
        namespace: name of the chaincode whose records are indexed.
    """
    written: dict[bool, set[str]] = {True: set(), False: set()}
    own = (item for rwset in rwsets for item in rwset.namespaces if item.namespace == namespace)
    for one in own:
        for write in one.writes:
            if write.key.startswith(_SUBJECT_KEYS):
                is_limited = write.deletes or _UNLIMITED not in write.value
                written[is_limited].add(write.key.removeprefix(_SUBJECT_KEYS))
    found = written[False] - written[True]
    ordered = sorted(found)
    for start in range(0, len(ordered), _IDS_PER_QUERY):
        part = ordered[start : start + _IDS_PER_QUERY]
        query = select(records.c.record_id).where(records.c.kind == SUBJECT, records.c.record_id.in_(part))
        found.difference_update(connection.scalars(query))
    return {_SUBJECT_KEYS + subject for subject in found}


def limits_row(subject: str, value: bytes) -> dict[str, str] | None:
    """The row of a subject's record; None where it has no limits. What is no record allows nothing."""
    if _UNLIMITED in value:
        return None
    try:
        record = SubjectConsents.from_bytes(value)
    except LedgerError:
        return {"subject": subject, "custodian": NOBODY, "limits": json.dumps([(ERASURE, ())])}
    limits = [(limit.kind, limit.purposes) for limit in record.limits]
    if not limits:
        return None
    return {"subject": subject, "custodian": record.custodian, "limits": json.dumps(limits)}


def terms_digest(terms: str) -> str:
    """Hex SHA-256 of terms as they are in a consent's row."""
    return hashlib.sha256(terms.encode()).hexdigest()


def _store_terms(connection: Connection, terms: Iterable[str]) -> dict[str, str]:
    """Keep terms that are new; return the digest of each."""
    digests = {text: terms_digest(text) for text in terms}
    digest = consent_terms.c.digest
    known = set(connection.scalars(select(digest).where(digest.in_(sorted(digests.values())))))
    new = [{"digest": value, "body": text} for text, value in digests.items() if value not in known]
    if new:
        connection.execute(insert(consent_terms), new)
    return digests
