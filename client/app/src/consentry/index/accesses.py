"""Accesses: each attempt with the decision on it, or open while there is none."""

import heapq
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select

from consentry.errors import InputRejected
from consentry.index.block_hours import within
from consentry.index.pages import Page, PageRequest, cursor
from consentry.index.schema import accesses, denials, links, records
from consentry_records.reasons import CATALOGUE, Reason, words

_CACHED = 1_024
_MOST_MERGED = 200


@dataclass(frozen=True)
class Denial:
    """One reason of a denial: its code and its words."""

    code: str
    words: str


@dataclass(frozen=True)
class Access:
    """One attempt at access and what came of it.

    Attributes:
        attempt_id: the attempt.
        version_id: dataset version that was asked for.
        dataset: name of its dataset; empty if the version is not on the ledger.
        custodian: MSP id of who holds the data and decides.
        requester_msp: MSP id of who asked.
        requester: enrolment id of the person or service that asked.
        roles: roles in the requester's certificate.
        purpose: purpose code that was stated.
        commercial: whether commercial use was stated.
        attempted_at: instant by the requester's clock.
        block: block of the attempt.
        transaction_id: transaction of the attempt.
        outcome: ``permit``, ``deny``, or ``open`` while the custodian has not decided.
        reasons: why it was denied.
        rules: ids of the rules that decided.
        grant_id: grant that permitted it; empty if none.
        decided_at: instant by the custodian's clock; empty while open.
        permit_not_after: end of the permit; empty if there is none.
        decision_block: block of the decision; None while open.
    """

    attempt_id: str
    version_id: str
    dataset: str
    custodian: str
    requester_msp: str
    requester: str
    roles: tuple[str, ...]
    purpose: str
    commercial: bool
    attempted_at: str
    block: int
    transaction_id: str
    outcome: str
    reasons: tuple[Denial, ...]
    rules: tuple[str, ...]
    grant_id: str
    decided_at: str
    permit_not_after: str
    decision_block: int | None


@dataclass(frozen=True)
class AccessFilter:
    """Which accesses are wanted; what is left out does not restrict.

    Attributes:
        versions: dataset versions, e.g. all that hold one subject's rows; empty tuple means none at all.
        dataset: a dataset's id or name.
        custodian: MSP id of who decides.
        requester_msp: MSP id of who asked.
        requester: enrolment id of who asked.
        purpose: purpose code.
        outcome: ``permit``, ``deny`` or ``open``.
        since: instant from which attempts count.
        until: instant before which attempts count.
        from_block: first block.
        to_block: last block.
        session: training session that used the permit.
        model: id of a model, or of one of its versions, whose training sessions used the permit.
        grant: id of the grant that permitted.
        reason: code of a reason for which it was denied, e.g. ``NO_GRANT``.
    """

    versions: tuple[str, ...] | None = None
    dataset: str | None = None
    custodian: str | None = None
    requester_msp: str | None = None
    requester: str | None = None
    purpose: str | None = None
    outcome: str | None = None
    since: str | None = None
    until: str | None = None
    from_block: int | None = None
    to_block: int | None = None
    session: str | None = None
    model: str | None = None
    grant: str | None = None
    reason: str | None = None


def find_accesses(connection: Connection, wanted: AccessFilter, page: PageRequest) -> Page[Access]:
    """Accesses in the order of their attempts on the ledger.

    Args:
        connection: the index.
        wanted: which ones.
        page: which page.

    Raises:
        InputRejected: REASON_UNKNOWN.
    """
    parts = [_read_page(connection, one, page) for one in _by_version(connection, wanted)]
    merged = heapq.merge(*parts, key=lambda row: (row.block, row.position), reverse=page.newest_first)
    rows = list(islice(merged, page.size + 1))
    last = rows[page.size - 1] if len(rows) > page.size else None
    items = as_accesses(connection, rows[: page.size])
    return Page(items, cursor(last.block, last.position) if last is not None else None)


def _by_version(connection: Connection, wanted: AccessFilter) -> list[AccessFilter]:
    """The same as a filter for each dataset version, where versions say most about what is wanted.

    The index keeps the accesses to one version in their order: of each no more are read than a page has,
    while those to several would all be read and sorted.
    """
    versions = wanted.versions
    if wanted.dataset is not None:
        found = set(connection.scalars(versions_of_dataset(wanted.dataset)))
        versions = tuple(sorted(found if versions is None else found.intersection(versions)))
    narrower = (wanted.reason, wanted.session, wanted.model, wanted.grant, wanted.requester)
    if versions is None or len(versions) > _MOST_MERGED or any(item is not None for item in narrower):
        return [wanted]
    return [replace(wanted, dataset=None, versions=(version,)) for version in dict.fromkeys(versions)]


def _read_page(connection: Connection, wanted: AccessFilter, page: PageRequest) -> Sequence[Any]:
    query, place = _select(wanted)
    after = page.condition(place)
    if after is not None:
        query = query.where(after)
    return connection.execute(query.order_by(*page.order(place)).limit(page.size + 1)).all()


def every_access(connection: Connection, wanted: AccessFilter, most: int | None = None) -> tuple[Access, ...]:
    """Every access that a filter finds, in ledger order: read at once, and not sorted anew for each page.

    Args:
        connection: the index.
        wanted: which ones.
        most: how many at most; None for all.

    Raises:
        InputRejected: REASON_UNKNOWN.
    """
    query, place = _select(wanted)
    query = query.order_by(place.c.block, place.c.position).limit(most)
    return as_accesses(connection, connection.execute(query).all())


@dataclass(frozen=True)
class AccessCount:
    """How many attempts had one outcome on one day, between two organizations."""

    custodian: str
    requester_msp: str
    day: str
    outcome: str
    count: int


def count_accesses(connection: Connection, wanted: AccessFilter) -> list[AccessCount]:
    """How many attempts there were, by organizations, day and outcome."""
    table = accesses.c
    day = func.substr(table.attempted_at, 1, 10).label("day")
    grouped = (table.custodian, table.requester_msp, day, table.outcome)
    query = select(*grouped, func.count().label("count")).where(and_(True, *_conditions(wanted)))
    return [AccessCount(*row) for row in connection.execute(query.group_by(*grouped).order_by(*grouped))]


def count_by_recipient(connection: Connection, versions: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many accesses to some versions each organization (MSP id) tried, by outcome."""
    table = accesses.c
    # All of it, and in this order, is in an index: no access is read for it.
    grouped = (table.version_id, table.requester_msp, table.outcome)
    query = select(*grouped, func.count()).where(table.version_id.in_(versions)).group_by(*grouped)
    counts: Counter[tuple[str, str]] = Counter()
    for _, msp_id, outcome, count in connection.execute(query):
        counts[msp_id, outcome] += count
    return dict(counts)


def as_accesses(connection: Connection, rows: Sequence[Any]) -> tuple[Access, ...]:
    """Rows of the table ``accesses`` as their type, with the names of their datasets."""
    names = dataset_names(connection, {row.version_id for row in rows})
    return tuple(access_of(row, names.get(row.version_id, "")) for row in rows)


def dataset_names(connection: Connection, versions: set[str]) -> dict[str, str]:
    """Names of the datasets that some versions belong to, by version id."""
    table = records.c
    query = select(table.record_id, table.name).where(
        table.kind == "version", table.record_id.in_(sorted(versions)), table.honoured
    )
    return {row.record_id: row.name for row in connection.execute(query)}


def _select(wanted: AccessFilter) -> tuple[Select[Any], Table]:
    """A query for accesses, and the table whose block and position to read them by."""
    conditions = and_(True, *_conditions(wanted))
    if wanted.reason is None:
        return select(accesses).where(conditions), accesses
    joined = denials.join(accesses, denials.c.attempt_id == accesses.c.attempt_id)
    return select(accesses).select_from(joined).where(denials.c.code == wanted.reason, conditions), denials


def _conditions(wanted: AccessFilter) -> list[ColumnElement[bool]]:
    table = accesses.c
    equal = {
        table.custodian: wanted.custodian,
        table.requester_msp: wanted.requester_msp,
        table.requester: wanted.requester,
        table.purpose: wanted.purpose,
        table.outcome: wanted.outcome,
        table.grant_id: wanted.grant,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in equal.items() if value is not None
    ]
    if wanted.versions is not None and len(wanted.versions) == 1:
        # In a list, even of one, SQLite sorts what an index has in order.
        conditions.append(table.version_id == wanted.versions[0])
    elif wanted.versions is not None:
        conditions.append(table.version_id.in_(wanted.versions))
    if wanted.dataset is not None:
        conditions.append(table.version_id.in_(versions_of_dataset(wanted.dataset)))
    if wanted.session is not None:
        conditions.append(table.attempt_id.in_(_linked("session", wanted.session, "attempt")))
    if wanted.model is not None:
        conditions.append(table.attempt_id.in_(_attempts_for_model(wanted.model)))
    if wanted.reason is not None and wanted.reason not in CATALOGUE:
        known = ", ".join(sorted(CATALOGUE))
        raise InputRejected("REASON_UNKNOWN", f"reason: got {wanted.reason!r}, expected one of {known}")
    conditions += within(table.block, wanted.since, wanted.until)
    if wanted.since is not None:
        conditions.append(table.attempted_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.attempted_at < wanted.until)
    if wanted.from_block is not None:
        conditions.append(table.block >= wanted.from_block)
    if wanted.to_block is not None:
        conditions.append(table.block <= wanted.to_block)
    return conditions


def versions_of_dataset(dataset: str) -> Any:
    """A query for the ids of a dataset's versions, the dataset given by id, version id or name."""
    ids = records.alias()
    named = select(ids.c.record_id).where(
        ids.c.kind == "dataset",
        ids.c.honoured,
        (ids.c.record_id == dataset) | (ids.c.name == dataset),
    )
    linked = select(links.c.from_id).where(
        links.c.from_kind == "version", links.c.to_kind == "dataset", links.c.to_id.in_(named)
    )
    only = select(records.c.record_id).where(records.c.kind == "version", records.c.record_id == dataset)
    return linked.union(only)


def _linked(from_kind: str, from_id: str, to_kind: str) -> Any:
    return select(links.c.to_id).where(
        links.c.from_kind == from_kind, links.c.from_id == from_id, links.c.to_kind == to_kind
    )


def _attempts_for_model(model: str) -> Any:
    """A query for the attempts that the training of a model, or of one version of it, rests on."""
    of_model = select(links.c.from_id).where(
        links.c.from_kind == "session", links.c.to_kind == "model", links.c.to_id == model
    )
    sessions = of_model.union(_linked("modelversion", model, "session")).subquery()
    return select(links.c.to_id).where(
        links.c.from_kind == "session", links.c.to_kind == "attempt", links.c.from_id.in_(select(sessions))
    )


def access_of(row: Any, dataset: str) -> Access:
    """A row of the table ``accesses`` as its type."""
    return Access(
        attempt_id=row.attempt_id,
        version_id=row.version_id,
        dataset=dataset,
        custodian=row.custodian,
        requester_msp=row.requester_msp,
        requester=row.requester,
        roles=tuple(role for role in row.roles.split(",") if role),
        purpose=row.purpose,
        commercial=row.commercial,
        attempted_at=row.attempted_at,
        block=row.block,
        transaction_id=row.transaction_id,
        outcome=row.outcome,
        reasons=_denials(row.reasons),
        rules=_texts(row.rules),
        grant_id=row.grant_id,
        decided_at=row.decided_at,
        permit_not_after=row.permit_not_after,
        decision_block=row.decision_block,
    )


# Few differ: of a thousand permits none has a reason, and all name the same rules.
@lru_cache(maxsize=_CACHED)
def _denials(text: str) -> tuple[Denial, ...]:
    reasons = json.loads(text)
    return tuple(Denial(str(reason["code"]), words(Reason.from_dict(reason))) for reason in reasons)


@lru_cache(maxsize=_CACHED)
def _texts(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
