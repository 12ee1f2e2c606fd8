"""A report composed again from nothing but the writes that it carries."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from consentry.index import RowManifest, Trail, TransactionRow, open_database
from consentry.index.checkpoint import Checkpoint, write_checkpoint
from consentry.index.interpretation import RecordWrite
from consentry.index.record_kinds import RECORD_KINDS, read_record
from consentry.index.store import BlockWriter
from consentry.reports.access_log import dataset_access_report, person_access_report
from consentry.reports.consent_evidence import consent_evidence
from consentry.reports.details import Details
from consentry.reports.disclosures import disclosures_report
from consentry.reports.evidence import LedgerWrite
from consentry.reports.report import Completeness, Report
from consentry.reports.subject_access import subject_access_report
from consentry.verification import Position

Compose = Callable[[Trail, str, str, RowManifest | None, Details], Report]
"""Makes a report of the trail, what it is about, the instant, row manifests, and what is stated beside."""

_COMPOSED: Mapping[str, Compose] = {
    "gdpr-15": lambda trail, about, at, manifest, _details: subject_access_report(
        trail, about, generated_at=at, manifest=manifest
    ),
    "gdpr-7": lambda trail, about, at, _manifest, _details: consent_evidence(trail, about, generated_at=at),
    "ehds-9": lambda trail, about, at, manifest, _details: person_access_report(
        trail, about, generated_at=at, manifest=manifest
    ),
    "ehds-73": lambda trail, about, at, _manifest, _details: dataset_access_report(
        trail, about, generated_at=at
    ),
    "hipaa-164-528": lambda trail, about, at, manifest, details: disclosures_report(
        trail, about, generated_at=at, manifest=manifest, details=details
    ),
}
"""Kind of report → how it is composed."""


def can_recompose(kind: str) -> bool:
    """Whether reports of a kind rest on chains alone, so that they can be composed again."""
    return kind in _COMPOSED


def recompose(
    trail: Trail, kind: str, about: str, generated_at: str, manifest: RowManifest | None, details: Details
) -> Report:
    """The report that a trail gives.

    Raises:
        IndexFault: the trail has nothing on what it is about.
    """
    return _COMPOSED[kind](trail, about, generated_at, manifest, details)


@contextmanager
def trail_of(writes: Iterable[LedgerWrite], completeness: Completeness) -> Iterator[Trail]:
    """An index in memory that holds nothing but some writes.

    Raises:
        ValueError: a write is of no kind that the index knows.
    """
    ordered = sorted(writes, key=lambda write: (write.block, write.position))
    endorsed = {_key(write): write.endorsed for write in ordered}
    position = Position(
        next_block=completeness.last_block + 1,
        header_hash=bytes.fromhex(completeness.header_hash),
        genesis_hash=bytes.fromhex(completeness.genesis_hash),
    )
    engine = open_database("sqlite://")
    try:
        with engine.begin() as connection:
            BlockWriter(connection, "").write_rows(
                (),
                [_record_write(write) for write in ordered],
                lambda write, _owner: endorsed[
                    write.row.block, write.row.position, write.kind.name, write.record_id
                ],
            )
            write_checkpoint(connection, Checkpoint(completeness.channel, position, completeness.anchored), 0)
        yield Trail(engine)
    finally:
        engine.dispose()


def _record_write(write: LedgerWrite) -> RecordWrite:
    kind = RECORD_KINDS.get(write.kind)
    if kind is None:
        raise ValueError(f"there are no records of kind {write.kind!r}")
    body = read_record(kind, write.record_id, write.value) if write.value else None
    row = TransactionRow(
        block=write.block,
        position=write.position,
        transaction_id=write.transaction_id,
        code=0,
        code_name="VALID",
        chaincode="",
        function="",
        creator_msp="",
        creator="",
        endorsers="",
        event="",
        proposal_time=write.recorded_at,
    )
    return RecordWrite(row, cast(Any, None), kind, write.record_id, body, write.value)


def _key(write: LedgerWrite) -> tuple[int, int, str, str]:
    return write.block, write.position, write.kind, write.record_id
