"""Datasets by name, and one of them with its versions, consents, lineage, grants and recent decisions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index import Access, AccessFilter, IndexFault, PageRequest
from consentry.index.accesses import find_accesses
from consentry.index.nearby import Nearby, counted_by_target, named, newest, newest_of_each, pointing_to
from consentry.index.nearby_lineage import NearbyLineage, lineage_of_versions
from consentry.index.rows import RecordRow, get_record
from consentry.web.graphs import MOST_OF_A_KIND
from consentry.web.views.consents_over_time import ConsentsOverTime, consents_over_time
from consentry.web.views.records import GrantEntry, VersionEntry, grant_entry, version_entry

DATASETS_A_PAGE = 25
VERSIONS_A_PAGE = 20
_GRANTS, _DECISIONS, _NEWEST_VERSIONS = 10, 10, 50


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One dataset in the list: whose it is, how many versions it has, and the newest one."""

    dataset_id: str
    name: str
    custodian: str
    version_count: int
    newest: VersionEntry | None


@dataclass(frozen=True, slots=True)
class DatasetList:
    """A page of datasets by name: how many there are in all, and the id after which the next page begins."""

    entries: tuple[DatasetEntry, ...]
    count: int
    next: str | None


@dataclass(frozen=True, slots=True)
class DatasetView:
    """One dataset.

    Attributes:
        dataset_id: its id.
        name: its name.
        custodian: MSP id of who holds it.
        honoured: False if the custodian did not endorse it.
        versions: a page of its versions, newest first.
        version_count: how many there are.
        next: id after which the next page of versions begins.
        consents: the custodian's consents over time.
        lineage: what its newest versions were made from and what was made from them.
        grants: the newest grants on them.
        grant_count: how many there are.
        decisions: the newest attempts at access to them.
    """

    dataset_id: str
    name: str
    custodian: str
    honoured: bool
    versions: tuple[VersionEntry, ...]
    version_count: int
    next: str | None
    consents: ConsentsOverTime
    lineage: NearbyLineage
    grants: tuple[GrantEntry, ...]
    grant_count: int
    decisions: tuple[Access, ...]


def list_datasets(connection: Connection, after: str | None) -> DatasetList:
    """A page of datasets in the order of their names.

    Args:
        connection: the index.
        after: id that the page before gave as next.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    found = named(connection, "dataset", DATASETS_A_PAGE, after)
    ids = [row.record_id for row in found.rows]
    counts = counted_by_target(connection, "dataset", ids, "version")
    newest_rows = newest_of_each(connection, "dataset", ids, "version")
    entries = tuple(
        _entry(row, counts.get(row.record_id, 0), newest_rows.get(row.record_id)) for row in found.rows
    )
    return DatasetList(entries, found.count, found.next)


def view_dataset(connection: Connection, dataset_id: str, at: str, after: str | None) -> DatasetView:
    """One dataset.

    Args:
        connection: the index.
        dataset_id: its id.
        at: the instant at which grants are read.
        after: id after which the page of versions begins.

    Raises:
        IndexFault: DATASET_NOT_INDEXED.
        InputRejected: PAGE_INVALID.
    """
    row = get_record(connection, "dataset", dataset_id)
    if row is None:
        raise IndexFault("DATASET_NOT_INDEXED", "The index has no such dataset; check the id.")
    versions = _versions(connection, dataset_id, VERSIONS_A_PAGE, after)
    ids = [version.record_id for version in _versions(connection, dataset_id, _NEWEST_VERSIONS, None).rows]
    grants = newest(connection, "grant", pointing_to("version", ids, "grant"), _GRANTS)
    recent = PageRequest(_DECISIONS, newest_first=True)
    return DatasetView(
        dataset_id=dataset_id,
        name=str(row.body.get("name", "")),
        custodian=row.owner,
        honoured=row.honoured,
        versions=tuple(map(version_entry, versions.rows)),
        version_count=versions.count,
        next=versions.next,
        consents=consents_over_time(connection, row.owner),
        lineage=lineage_of_versions(connection, ids, MOST_OF_A_KIND),
        grants=tuple(grant_entry(grant, at) for grant in grants.rows),
        grant_count=grants.count,
        decisions=find_accesses(connection, AccessFilter(versions=tuple(ids)), recent).items,
    )


def _versions(connection: Connection, dataset_id: str, most: int, after: str | None) -> Nearby:
    ids = pointing_to("dataset", [dataset_id], "version")
    return newest(connection, "version", ids, most, after)


def _entry(row: RecordRow, version_count: int, newest_row: RecordRow | None) -> DatasetEntry:
    return DatasetEntry(
        dataset_id=row.record_id,
        name=str(row.body.get("name", "")),
        custodian=row.owner,
        version_count=version_count,
        newest=version_entry(newest_row) if newest_row is not None else None,
    )
