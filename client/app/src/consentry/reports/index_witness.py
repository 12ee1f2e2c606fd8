"""An index of verified blocks as what a report is compared with."""

from collections.abc import Iterator
from itertools import chain

from sqlalchemy import Connection, select

from consentry.index import Trail
from consentry.index.checkpoint import read_checkpoint
from consentry.index.schema import blocks, chain_entries, changes
from consentry.reports.evidence import Evidence
from consentry.reports.report import Completeness
from consentry.reports.written_values import as_write, select_writes


class IndexWitness:
    """Compares a report's writes, headers and chains with an index.

    Args:
        trail: the index, at least as far as the report.
    """

    name = "the verified blocks of the own peer"
    is_total = True

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    @property
    def is_proof(self) -> bool:
        """Whether the blocks were verified from a pinned genesis."""
        with self._trail.snapshot() as connection:
            found = read_checkpoint(connection)
        return found is not None and found.anchored

    def difference(self, evidence: Evidence, completeness: Completeness) -> str:
        """The first thing in which the blocks differ from the report; empty if there is none."""
        with self._trail.snapshot() as connection:
            checks = chain(
                _headers(connection, evidence, completeness),
                _writes(connection, evidence),
                _chains(connection, evidence, completeness.last_block),
            )
            return next(checks, "")


def _headers(connection: Connection, evidence: Evidence, completeness: Completeness) -> Iterator[str]:
    found = read_checkpoint(connection)
    if found is None or found.position.next_block <= completeness.last_block:
        yield f"The index does not reach block {completeness.last_block} yet."
        return
    if found.channel != completeness.channel:
        yield f"The index is of channel {found.channel}, the report of {completeness.channel}."
    if found.position.genesis_hash.hex() != completeness.genesis_hash:
        yield f"The ledger's genesis is {found.position.genesis_hash.hex()}."
    for number, header in {**evidence.blocks, completeness.last_block: completeness.header_hash}.items():
        known = connection.scalar(select(blocks.c.header_hash).where(blocks.c.number == number))
        if known is None or known.hex() != header:
            yield f"Block {number} has another header."


def _writes(connection: Connection, evidence: Evidence) -> Iterator[str]:
    table = changes.c
    for write in evidence.writes:
        if write.block not in evidence.blocks:
            yield f"The report gives no header of block {write.block}."
        query = select_writes().where(table.block == write.block, table.position == write.position)
        row = connection.execute(
            query.where(table.kind == write.kind, table.record_id == write.record_id)
        ).first()
        if row is None or write != as_write(row):
            yield f"Block {write.block} does not have this {write.kind} {write.record_id}."


def _chains(connection: Connection, evidence: Evidence, last_block: int) -> Iterator[str]:
    table = chain_entries.c
    for shown in evidence.chains:
        query = select(table.leaf_hash).where(table.chain == shown.name, table.block <= last_block)
        ordered = query.order_by(table.block, table.position, table.kind, table.record_id)
        indices = [index for _, found in shown.epochs for index in found] + list(shown.open)
        leaves = [evidence.writes[index].entry().leaf_hash() for index in indices]
        if list(connection.scalars(ordered)) != leaves:
            yield f"The blocks have other writes about {shown.name}: one was left out, added or altered."
