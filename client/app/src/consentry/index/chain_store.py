"""The completeness chains in the index's database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, select

from consentry.index.chain_membership import SETTINGS, KnownChains, RecordKey, standing_entry
from consentry.index.schema import chain_entries, chains, records
from consentry_records.chains import ChainEntry

_IDS_PER_QUERY = 400


def known_chains(connection: Connection, wanted: Iterable[RecordKey], names: Iterable[str]) -> KnownChains:
    """What the index holds of some records' chains and of some chains, and what they may bring in."""
    by_kind = defaultdict(set)
    for kind, identifier in wanted:
        by_kind[kind].add(identifier)
    of_records = _chains_of(connection, by_kind)
    needed = set(names).union(*of_records.values())
    models = {("model", identifier) for identifier in by_kind["model"]}
    return KnownChains(
        {key: frozenset(found) for key, found in of_records.items()},
        dict(_custodians(connection, needed)),
        dict(_standing(connection, {*models, SETTINGS} if names else models)),
    )


def _chains_of(connection: Connection, by_kind: dict[str, set[str]]) -> dict[RecordKey, set[str]]:
    table, found = chain_entries.c, defaultdict(set)
    for kind, ids in by_kind.items():
        for part in _parts(ids):
            query = (
                select(table.record_id, table.chain)
                .where(table.kind == kind, table.record_id.in_(part))
                .distinct()
            )
            for row in connection.execute(query):
                found[kind, row.record_id].add(row.chain)
    return found


def _custodians(connection: Connection, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for part in _parts(names):
        query = select(chains.c.name, chains.c.custodian).where(chains.c.name.in_(part))
        yield from ((row.name, row.custodian) for row in connection.execute(query))


def _standing(connection: Connection, keys: Iterable[RecordKey]) -> Iterator[tuple[RecordKey, ChainEntry]]:
    by_kind = defaultdict(list)
    for kind, identifier in keys:
        by_kind[kind].append(identifier)
    for kind, ids in by_kind.items():
        for part in _parts(ids):
            query = select(records).where(records.c.kind == kind, records.c.record_id.in_(part))
            for row in connection.execute(query):
                if row.body:
                    yield (kind, row.record_id), standing_entry(kind, row.record_id, row)


def _parts(ids: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_PER_QUERY):
        yield ordered[start : start + _IDS_PER_QUERY]
