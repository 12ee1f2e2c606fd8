"""What every report holds, before any format: statements, tables, figures, and how far it is complete.

A report is composed once; each format prints the same statements. Row types carry each column's label and the
law that asks for it, so that every format states both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from consentry.reports.evidence import Evidence
from consentry.reports.figures import Figure
from consentry.reports.values import Column, ReportField, Value, cells, columns


@dataclass(frozen=True)
class Completeness:
    """What a report rests on.

    Attributes:
        channel: the ledger's channel.
        last_block: the report is complete up to and including this block.
        header_hash: hex SHA-256 of that block's header.
        genesis_hash: hex SHA-256 of the genesis header.
        anchored: whether that was pinned from outside the ledger.
        closed_epochs: up to which block nothing can have been left out, a sentence a custodian; empty where
            no chain speaks of what the report is about.
    """

    channel: str
    last_block: int
    header_hash: str
    genesis_hash: str
    anchored: bool
    closed_epochs: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The same for a reader."""
        proof = (
            f"every block was verified from the pinned genesis {self.genesis_hash}"
            if self.anchored
            else f"the blocks are consistent, but not anchored: their genesis is {self.genesis_hash}"
        )
        complete = (
            f"Complete up to and including block {self.last_block} of channel {self.channel} "
            f"(header {self.header_hash}); {proof}."
        )
        return " ".join((complete, *self.closed_epochs))


@dataclass(frozen=True)
class Table:
    """One table of a report.

    Attributes:
        key: stable name.
        title: heading for readers.
        empty: what a reader is told when there are no rows.
        row_type: dataclass whose fields are the columns, each annotated with ``Reported``.
        rows: instances of it, in the order in which they are told.
    """

    key: str
    title: str
    empty: str
    row_type: type
    rows: tuple[Any, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in order."""
        return columns(self.row_type)

    @property
    def cells(self) -> tuple[tuple[Value, ...], ...]:
        """The rows' values in the order of the columns."""
        return tuple(cells(row) for row in self.rows)


@dataclass(frozen=True)
class Report:
    """A report on what the ledger records.

    Attributes:
        kind: stable name, e.g. ``gdpr-15``.
        title: for readers.
        law: what it answers to, in a sentence.
        facts: whose it is and what it is about: label and text.
        generated_at: instant at which it was made, by the clock of whoever made it.
        completeness: the block up to which it is complete, and what proves that.
        basis: how the records were found, in a sentence.
        statements: heading of the fields.
        fields: what the law asks for beside the tables, one by one.
        tables: the records, oldest first.
        figures: drawings of them.
        remarks: what on the ledger concerns these records and honest contracts would not have written.
        note: how times and order are to be read, in a sentence or two.
        evidence: what proves it, for formats that can carry that.
    """

    kind: str
    title: str
    law: str
    facts: tuple[tuple[str, str], ...]
    generated_at: str
    completeness: Completeness
    basis: str
    statements: str
    fields: tuple[ReportField, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    remarks: tuple[str, ...] = ()
    note: str = (
        "Times are UTC. Times of attempts are by the requester's clock, times of decisions by the "
        "custodian's; the order of the ledger is the order of its blocks. A claimed time is the word of who "
        "recorded something later; no rule uses it."
    )
    evidence: Evidence | None = None

    def rows(self, key: str) -> tuple[Any, ...]:
        """The rows of one table.

        Raises:
            KeyError: there is no such table.
        """
        for table in self.tables:
            if table.key == key:
                return table.rows
        raise KeyError(key)


def make_table(key: str, title: str, empty: str, row_type: type, rows: Iterable[Any]) -> Table:
    """A table of rows that are composed one after the other."""
    return Table(key, title, empty, row_type, tuple(rows))
