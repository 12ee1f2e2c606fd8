"""Which of many subjects allow a use: consents in force and limits as rows of their own, asked at once.

The records say the same, but one document each: reading a hundred thousand of them takes ten times as long.
The answer is that of the contracts' `consents:permitted` at the index's last block, but for consents that
their custodian did not endorse, which count for nothing here.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import JSON, Connection, Select, cast, func, select

from consentry.index.consent_rows import NOBODY
from consentry.index.rows import get_record
from consentry.index.schema import consent_terms, given_consents, subject_limits
from consentry_records.grant_rules import Use
from consentry_records.kinds import FLAG, INSTANT, MSP_ID, Choice
from consentry_records.record import Record
from consentry_records.rules import terms_allow
from consentry_records.settings import Settings
from consentry_records.subject import limit_forbids
from consentry_records.vocabulary import PURPOSES

_SCAN_FACTOR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedUse(Record):
    """What is asked: whose subjects they are (the custodian), the use, and the instant of it."""

    custodian: Annotated[str, MSP_ID]
    purpose: Annotated[str, Choice(PURPOSES)]
    commercial: Annotated[bool, FLAG]
    recipient: Annotated[str, MSP_ID]
    at: Annotated[str, INSTANT]


def permitted_subjects(connection: Connection, subjects: Iterable[str], use: PermittedUse) -> set[str]:
    """Those of some subjects (commitments) who have a consent in force that allows a use, and no limit that
    forbids it.

    Args:
        connection: the index.
        subjects: commitments, in any order.
        use: the use.
    """
    asked, table = set(subjects), given_consents.c
    permitting = select(table.subject).where(
        table.custodian == use.custodian,
        table.terms.in_(_allowing_terms(connection, use)),
        table.not_before <= use.at,
        table.not_after > use.at,
    )
    count = select(func.count()).where(table.custodian == use.custodian)
    # Where most are asked about, reading all takes less than looking each up.
    if len(asked) * _SCAN_FACTOR < (connection.scalar(count) or 0):
        permitting = permitting.where(table.subject.in_(_listed(connection, sorted(asked))))
    found = {subject for (subject,) in connection.execute(permitting).all() if subject in asked}
    return found - _limited(connection, use)


def _allowing_terms(connection: Connection, use: PermittedUse) -> list[str]:
    settings = get_record(connection, "settings", "")
    kind = Settings.from_dict(settings.body).kind_of(use.recipient) if settings is not None else None
    wanted = Use(purpose=use.purpose, commercial=use.commercial)

    def allows(purposes: list[str], restrictions: list[str], recipients: list[str]) -> bool:
        return terms_allow(
            purposes, restrictions, recipients, wanted, recipient=use.recipient, recipient_kind=kind
        )

    rows = connection.execute(select(consent_terms))
    return [row.digest for row in rows if allows(*json.loads(row.body))]


def _listed(connection: Connection, subjects: Sequence[str]) -> Select[Any]:
    """The subjects as one parameter: a parameter for each takes longer than the whole query."""
    if connection.dialect.name == "sqlite":
        return select(func.json_each(json.dumps(subjects)).table_valued("value").c.value)
    return select(func.json_array_elements_text(cast(subjects, JSON)).column_valued("value"))


def _limited(connection: Connection, use: PermittedUse) -> set[str]:
    table = subject_limits.c
    rows = connection.execute(
        select(table.subject, table.limits).where(table.custodian.in_((use.custodian, NOBODY)))
    ).all()
    forbids = {limits: _forbids(limits, use.purpose) for limits in {row.limits for row in rows}}
    return {row.subject for row in rows if forbids[row.limits]}


def _forbids(limits: str, purpose: str) -> bool:
    return any(limit_forbids(kind, purposes, purpose) for kind, purposes in json.loads(limits))
