"""Gathering a report's evidence from the index."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from consentry.index import RowManifest, Trail
from consentry.index.epochs import (
    CLOSED_EPOCH,
    bucket_heads,
    closed_epochs,
    followed,
    has_limits,
    stored_roots,
)
from consentry.index.record_kinds import SUBJECT
from consentry.index.rows import RecordRow
from consentry.index.schema import blocks, chain_entries, changes
from consentry.reports.evidence import ChainEvidence, Evidence, LedgerWrite
from consentry.reports.report import Report, Table
from consentry.reports.report_chains import chains_of, completeness_sentences
from consentry.reports.values import lines
from consentry.reports.written_values import as_write, select_writes
from consentry_records.chains import HeadProof, bucket_of
from consentry_records.identifiers import KINDS

Key = tuple[int, int, str, str]
"""Block, position, kind and id of a write."""

_IDS_PER_QUERY = 400
_NO_EPOCH = 0
_COMMITMENT = "hmac"
_IDENTIFIER = re.compile(
    rf"(?:{'|'.join(KINDS)})-[0-9a-f]{{32}}(?:/[0-9]{{6}})?|{_COMMITMENT}-sha256:[0-9a-f]{{64}}"
)
_RECORDS: Mapping[str, tuple[str, ...]] = {
    "version": ("version", "removed"),
    "grant": ("grant", "suspension"),
    "attempt": ("attempt", "decision", "emergency"),
    "session": ("session", "round", "statement"),
    "modelversion": ("modelversion", "stage"),
    "rightsrequest": ("rights",),
    "batch": (),
    _COMMITMENT: (SUBJECT,),
}
"""Kind of an id → kinds of the records that stand under it, where they are not the same."""


class RecordedManifest:
    """The custodian's row manifests, with what they answered.

    Args:
        manifest: the manifests.
    """

    def __init__(self, manifest: RowManifest | None) -> None:
        self._manifest = manifest
        self.answers: dict[str, tuple[str, ...] | None] = {}

    def __call__(self, consent_id: str, subject: str) -> Iterable[str] | None:
        """The versions with rows under a consent."""
        found = self._manifest(consent_id, subject) if self._manifest is not None else None
        self.answers[consent_id] = None if found is None else tuple(sorted(found))
        return self.answers[consent_id]


def completed(
    trail: Trail, report: Report, manifest: RecordedManifest | None = None, *, with_evidence: bool
) -> Report:
    """A report that says up to when nothing can have been left out, and why.

    Args:
        trail: the index that it was made from.
        report: the report.
        manifest: what the custodian's row manifests answered when it was made.
        with_evidence: whether it is to carry its evidence, for JSON.
    """
    with trail.snapshot() as connection:
        names = chains_of(connection, report, manifest)
        sentences = completeness_sentences(connection, names.values())
        found = replace(report, completeness=replace(report.completeness, closed_epochs=sentences))
        if not with_evidence:
            return found
        return replace(found, evidence=_evidence(connection, found, names, manifest))


def references_of(report: Report, writes: Sequence[LedgerWrite]) -> dict[str, tuple[tuple[int, ...], ...]]:
    """For each row of each table the indices of the writes of every record that it names."""
    by_record = defaultdict(list)
    for index, write in enumerate(writes):
        by_record[write.kind, write.record_id].append(index)
    return {
        table.key: tuple(
            tuple(sorted(index for record in _records(row) for index in by_record.get(record, ())))
            for row in _identifiers(table)
        )
        for table in report.tables
    }


def _evidence(
    connection: Connection, report: Report, names: Mapping[str, str], manifest: RecordedManifest | None
) -> Evidence:
    last = report.completeness.last_block
    entries = {name: _entries(connection, name, last) for name in names}
    wanted = {record for table in report.tables for row in _identifiers(table) for record in _records(row)}
    wanted |= {key[2:] for found in entries.values() for _, key in found}
    closing = _last_epochs(connection, set(names.values()))
    wanted |= closing
    in_chains = {key for found in entries.values() for _, key in found}
    named = wanted - {key[2:] for key in in_chains}
    writes = [
        write
        for write in _writes(connection, wanted, last)
        if _key(write) in in_chains or (write.kind, write.record_id) in named
    ]
    writes.sort(key=_key)
    places = {_key(write): index for index, write in enumerate(writes)}
    return Evidence(
        writes=tuple(writes),
        blocks=_header_hashes(connection, {write.block for write in writes}),
        manifest=manifest.answers if manifest is not None else None,
        chains=tuple(_chain(connection, name, names[name], entries[name], places) for name in names),
        references=references_of(report, writes),
    )


def _chain(
    connection: Connection,
    name: str,
    custodian: str,
    entries: list[tuple[int, Key]],
    places: Mapping[Key, int],
) -> ChainEvidence:
    closed = closed_epochs(connection, custodian)[: followed(connection, custodian).number]
    with_limits = [row for row in closed if has_limits(row)]
    grouped: dict[int, list[int]] = {}
    for block, key in entries:
        number = _epoch_of(block, with_limits if key[2] == SUBJECT else closed)
        grouped.setdefault(number, []).append(places[key])
    since = grouped.pop(_NO_EPOCH, [])
    proof = None
    if grouped:
        heads = bucket_heads(connection, custodian, bucket_of(name))
        proof = HeadProof.of(name, heads, stored_roots(connection, custodian))
    epochs = tuple((number, tuple(found)) for number, found in sorted(grouped.items()))
    return ChainEvidence(name, custodian, epochs, tuple(since), proof)


def _epoch_of(block: int, epochs: Sequence[RecordRow]) -> int:
    """The number of the first of some epochs that ends with a block or after it."""
    found = bisect_left(epochs, block, key=lambda row: int(row.body["last_block"]))
    return int(epochs[found].body["number"]) if found < len(epochs) else _NO_EPOCH


def _entries(connection: Connection, name: str, last: int) -> list[tuple[int, Key]]:
    """A chain's entries in order: the block in which each joined, and where it was written."""
    table = chain_entries.c
    query = select(chain_entries).where(table.chain == name, table.block <= last)
    ordered = query.order_by(table.block, table.position, table.kind, table.record_id)
    return [
        (row.block, (row.written_block, row.written_position, row.kind, row.record_id))
        for row in connection.execute(ordered)
    ]


def _last_epochs(connection: Connection, custodians: set[str]) -> set[tuple[str, str]]:
    done = {custodian: followed(connection, custodian).number for custodian in custodians}
    return {(CLOSED_EPOCH, f"{custodian}/{number:06d}") for custodian, number in done.items() if number}


def _writes(connection: Connection, wanted: set[tuple[str, str]], last: int) -> Iterator[LedgerWrite]:
    by_kind = defaultdict(list)
    for kind, identifier in sorted(wanted):
        by_kind[kind].append(identifier)
    table = changes.c
    for kind, ids in by_kind.items():
        for start in range(0, len(ids), _IDS_PER_QUERY):
            part = ids[start : start + _IDS_PER_QUERY]
            wanted_here = (table.kind == kind, table.record_id.in_(part), table.block <= last)
            yield from map(as_write, connection.execute(select_writes().where(*wanted_here)))


def _header_hashes(connection: Connection, numbers: set[int]) -> dict[int, str]:
    found, ordered = {}, sorted(numbers)
    for start in range(0, len(ordered), _IDS_PER_QUERY):
        query = select(blocks).where(blocks.c.number.in_(ordered[start : start + _IDS_PER_QUERY]))
        found.update({row.number: row.header_hash.hex() for row in connection.execute(query)})
    return found


def _identifiers(table: Table) -> list[set[str]]:
    return [
        {name for cell in row for line in lines(cell) for name in _IDENTIFIER.findall(line)}
        for row in table.cells
    ]


def _records(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        kind = name.partition("-")[0]
        for record_kind in _RECORDS.get(kind, (kind,)):
            yield record_kind, name


def _key(write: LedgerWrite) -> Key:
    return write.block, write.position, write.kind, write.record_id
