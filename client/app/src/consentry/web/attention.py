"""What needs an organization's attention: each question is bounded, however long the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, func, select, union

from consentry.index import RecordRow
from consentry.index.block_hours import within
from consentry.index.checkpoint import require_checkpoint
from consentry.index.nearby import oldest
from consentry.index.rows import get_records, links_to, record_row
from consentry.index.schema import accesses, records
from consentry.web.channel_facts import CertificateFact, channel_facts
from consentry_records.instants import format_instant
from consentry_records.rights_request import OPEN_STATES

MOST = 500
SOON_DAYS = 30
DUE_DAYS = 7
CERTIFICATE_DAYS = 90
_NEWEST = 2000


@dataclass(frozen=True, slots=True)
class Attention:
    """What needs attention, and up to which block that is known.

    Attributes:
        open_requests: requests for the own organization's data on which it has not decided by a grant, or the
            own requests on which nobody has; newest first.
        ending_grants: grants from or to the own organization that end within 30 days, soonest first.
        denials: how many of the own decisions or attempts of the last seven days were denials, at most 500.
        overdue: open requests of data subjects beyond their due date, or due within a week, soonest first.
        certificates: of the channel that end within 90 days, soonest first.
    """

    open_requests: tuple[RecordRow, ...]
    ending_grants: tuple[RecordRow, ...]
    denials: int
    overdue: tuple[RecordRow, ...]
    certificates: tuple[CertificateFact, ...]


def attention(connection: Connection, msp_id: str, now: datetime) -> Attention:
    """Ask the index what needs an organization's attention.

    Args:
        connection: the index.
        msp_id: the organization.
        now: this moment.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    facts = channel_facts(require_checkpoint(connection))
    horizon = now + timedelta(days=CERTIFICATE_DAYS)
    return Attention(
        open_requests=tuple(islice(_open_requests(connection, msp_id), MOST)),
        ending_grants=tuple(_ending_grants(connection, msp_id, now)),
        denials=_denials(connection, msp_id, now - timedelta(days=7)),
        overdue=tuple(_overdue(connection, msp_id, now + timedelta(days=DUE_DAYS))),
        certificates=tuple(fact for fact in (facts.certificates if facts else ()) if fact.ends < horizon),
    )


def _open_requests(connection: Connection, msp_id: str) -> Iterator[RecordRow]:
    table = records.c
    query = select(records).where(table.kind == "request")
    newest = query.order_by(table.block.desc(), table.position.desc()).limit(_NEWEST)
    found = [record_row(row) for row in connection.execute(newest)]
    wanted = {version for row in found for version in row.body.get("versions", ())}
    custodians = _owners(connection, "version", wanted)
    grants = links_to(connection, "request", [row.record_id for row in found], "grant")
    granting = _owners(connection, "grant", {grant for ids in grants.values() for grant in ids})
    for row in found:
        asked = {custodians.get(version, "") for version in row.body.get("versions", ())}
        answered = {granting.get(grant, "") for grant in grants.get(row.record_id, ())}
        is_open = not asked <= answered if row.owner == msp_id else msp_id in asked - answered
        if is_open:
            yield row


def _owners(connection: Connection, kind: str, ids: set[str]) -> dict[str, str]:
    """Owners of some records by their ids."""
    found: dict[str, str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), MOST):
        part = wanted[start : start + MOST]
        query = select(records.c.record_id, records.c.owner).where(
            records.c.kind == kind, records.c.record_id.in_(part), records.c.honoured
        )
        found |= {row.record_id: row.owner for row in connection.execute(query)}
    return found


def _ending_grants(connection: Connection, msp_id: str, now: datetime) -> list[RecordRow]:
    """Of the newest grants in force, from and to the organization, those that end soon."""
    first, last = format_instant(now), format_instant(now + timedelta(days=SOON_DAYS))
    table = records.c
    active = select(table.record_id, table.body).where(
        table.kind == "grant", table.state == "active", table.honoured
    )
    newest = active.order_by(table.block.desc(), table.position.desc()).limit(_NEWEST).subquery()
    # Canonical JSON has one form: what fits is read, not all.
    is_grantee = newest.c.body.contains(f'"grantee":{json.dumps(msp_id)}', autoescape=True)
    own = active.where(table.owner == msp_id).with_only_columns(table.record_id)
    ids = set(connection.scalars(own.order_by(table.block.desc()).limit(_NEWEST)))
    ids |= set(connection.scalars(select(newest.c.record_id).where(is_grantee)))
    ending = [row for row in get_records(connection, "grant", ids) if row.state == "active"]
    ending = [row for row in ending if first <= str(row.body.get("not_after", "")) <= last]
    return sorted(ending, key=lambda row: str(row.body["not_after"]))[:MOST]


def _denials(connection: Connection, msp_id: str, since: datetime) -> int:
    """Denials are read newest first, in the blocks of those days, and no more than are told apart."""
    table, first = accesses.c, format_instant(since)
    newest = [
        select(table.attempt_id, table.attempted_at)
        .where(column == msp_id, table.outcome == "deny", *within(table.block, first, None))
        .order_by(table.block.desc(), table.position.desc())
        .limit(MOST)
        .subquery()
        for column in (table.custodian, table.requester_msp)
    ]
    found = union(*(select(part.c.attempt_id).where(part.c.attempted_at >= first) for part in newest))
    count = connection.scalar(select(func.count()).select_from(found.subquery()))
    return min(int(count or 0), MOST)


def _overdue(connection: Connection, msp_id: str, until: datetime) -> list[RecordRow]:
    """Of the oldest open requests those that are due; the oldest are due first."""
    table = records.c
    ids = select(table.record_id).where(
        table.kind == "rights", table.owner == msp_id, table.state.in_(OPEN_STATES)
    )
    rows, last = oldest(connection, "rights", ids, MOST).rows, format_instant(until)
    due = [row for row in rows if str(row.body.get("due_at", "")) <= last]
    return sorted(due, key=lambda row: str(row.body["due_at"]))
