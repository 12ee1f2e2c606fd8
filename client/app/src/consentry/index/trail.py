"""The trail index as its readers see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from consentry.errors import InputRejected
from consentry.index import lineage, rows, transaction_queries
from consentry.index.accesses import Access, AccessFilter, find_accesses
from consentry.index.checkpoint import require_checkpoint
from consentry.index.interpretation import TransactionRow
from consentry.index.open_attempts import open_attempts
from consentry.index.pages import Page, PageRequest, all_items
from consentry.index.permitted_subjects import PermittedUse, permitted_subjects
from consentry.index.record_kinds import RECORD_KINDS
from consentry.index.subject_trail import SubjectTrail, subject_trail

if TYPE_CHECKING:
    import pandas as pd

_FIRST = PageRequest()


@dataclass(frozen=True)
class IndexStatus:
    """What the index holds.

    Attributes:
        channel: channel id.
        last_block: number of the last block indexed: answers are complete up to and including it.
        genesis_hash: hex SHA-256 of the genesis header.
        anchored: whether that was pinned from outside.
        last_header_hash: hex SHA-256 of the last block's header.
        codes: how many transactions have each validation code.
        findings: how many writes honest contracts would not have made.
    """

    channel: str
    last_block: int
    genesis_hash: str
    anchored: bool
    last_header_hash: str
    codes: dict[str, int]
    findings: int


class Trail:
    """Questions to the index; each is answered from one consistent snapshot.

    Args:
        engine: the index's database, from ``open_database``.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The index's database."""
        return self._engine

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection in one read transaction, for several questions that must agree."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def status(self) -> IndexStatus:
        """What is indexed.

        Raises:
            IndexFault: INDEX_EMPTY.
        """
        with self.snapshot() as connection:
            found = require_checkpoint(connection)
            return IndexStatus(
                channel=found.channel,
                last_block=found.position.next_block - 1,
                genesis_hash=found.position.genesis_hash.hex(),
                anchored=found.anchored,
                last_header_hash=found.position.header_hash.hex(),
                codes=transaction_queries.count_by_code(connection),
                findings=len(rows.find_findings(connection)),
            )

    def accesses(self, wanted: AccessFilter | None = None, page: PageRequest = _FIRST) -> Page[Access]:
        """Attempts with their decisions, in ledger order."""
        with self.snapshot() as connection:
            return find_accesses(connection, wanted or AccessFilter(), page)

    def open_attempts(
        self, at: str, custodian: str | None = None, page: PageRequest = _FIRST
    ) -> Page[Access]:
        """Attempts undecided for longer than the ledger allows; see ``open_attempts.open_attempts``."""
        with self.snapshot() as connection:
            return open_attempts(connection, at, custodian, page)

    def transactions(
        self, wanted: transaction_queries.TransactionFilter | None = None, page: PageRequest = _FIRST
    ) -> Page[TransactionRow]:
        """Transactions, invalid ones too, in ledger order."""
        with self.snapshot() as connection:
            return transaction_queries.find_transactions(
                connection, wanted or transaction_queries.TransactionFilter(), page
            )

    def record(self, kind: str, record_id: str) -> rows.RecordRow | None:
        """One record as it stands, or None."""
        with self.snapshot() as connection:
            return rows.get_record(connection, kind, record_id)

    def records(
        self, kind: str, *, owner: str | None = None, name: str | None = None, subject: str | None = None
    ) -> list[rows.RecordRow]:
        """Records of one kind by owner, name or subject."""
        with self.snapshot() as connection:
            return rows.find_records(connection, kind, owner=owner, name=name, subject=subject)

    def history(self, kind: str, record_id: str) -> list[rows.ChangeRow]:
        """Every write of one record, oldest first."""
        with self.snapshot() as connection:
            return rows.find_changes(connection, kind, record_id)

    def findings(self) -> list[rows.FindingRow]:
        """Writes that honest contracts would not have made."""
        with self.snapshot() as connection:
            return rows.find_findings(connection)

    def to_frame(self, wanted: AccessFilter | transaction_queries.TransactionFilter | str) -> pd.DataFrame:
        """Everything that a filter finds as a pandas frame, in ledger order: accesses for an `AccessFilter`,
        transactions for a `TransactionFilter`, the records of a kind for its name, e.g. "grant".

        Columns are described in `index.frames`; instants are times in UTC.

        Raises:
            InputRejected: KIND_UNKNOWN.
        """
        from consentry.index import frames

        if isinstance(wanted, AccessFilter):
            return frames.access_frame(all_items(lambda page: self.accesses(wanted, page)))
        if isinstance(wanted, transaction_queries.TransactionFilter):
            return frames.transaction_frame(all_items(lambda page: self.transactions(wanted, page)))
        if wanted not in RECORD_KINDS:
            kinds = ", ".join(sorted(RECORD_KINDS))
            raise InputRejected("KIND_UNKNOWN", f"kind: got {wanted!r}, expected one of {kinds}")
        return frames.record_frame(wanted, self.records(wanted))

    def permitted(self, subjects: Sequence[str], use: PermittedUse) -> set[str]:
        """Those of some subjects whose consents allow a use; see ``permitted_subjects``."""
        with self.snapshot() as connection:
            return permitted_subjects(connection, subjects, use)

    def subject(self, subject: str, manifest: lineage.RowManifest | None = None) -> SubjectTrail:
        """What is on the trail of one subject, given by its commitment; see ``subject_trail``."""
        with self.snapshot() as connection:
            return subject_trail(connection, subject, manifest)

    def impact(
        self, consent_id: str, manifest: lineage.RowManifest | None = None
    ) -> lineage.WithdrawalImpact:
        """What a withdrawal of one consent reaches; see ``lineage.withdrawal_impact``."""
        with self.snapshot() as connection:
            return lineage.withdrawal_impact(connection, consent_id, manifest)

    def model_lineage(self, model_version_id: str) -> lineage.ModelLineage:
        """What one model version comes from; see ``lineage.model_lineage``."""
        with self.snapshot() as connection:
            return lineage.model_lineage(connection, model_version_id)
