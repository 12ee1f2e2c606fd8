"""Rows of one proved block written into the index, within whatever transaction the caller has open."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, select, update

from consentry.index.access_store import store_accesses
from consentry.index.block_hours import store_hours
from consentry.index.bulk import insert_rows, replace_rows
from consentry.index.chain_membership import ChainMembership, wanted_by
from consentry.index.chain_store import known_chains
from consentry.index.consent_rows import (
    CONSENT,
    never_limited,
    store_consent_days,
    store_consents,
    store_limits,
)
from consentry.index.epochs import CLOSED_EPOCH
from consentry.index.forgery import EndorsementCheck
from consentry.index.interpretation import RecordWrite, TransactionRow, record_writes, transaction_rows
from consentry.index.record_changes import ATTEMPT, RecordChanges, RecordKey, Standing
from consentry.index.schema import (
    blocks,
    chain_entries,
    chains,
    changes,
    findings,
    links,
    records,
    transactions,
)
from consentry.verification import ProvedBlock
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.validation_codes import ValidationCode

_IDS_PER_QUERY = 400


@dataclass(frozen=True)
class BlockWriter:
    """Writes a block's transactions and records as rows.

    Attributes:
        connection: an open connection in a transaction.
        namespace: name of the chaincode whose records are indexed.
        closing: MSP ids of the custodians that closed epochs in what was written.
    """

    connection: Connection
    namespace: str
    closing: set[str] = field(default_factory=set)

    def write(self, proved: ProvedBlock, config: ChannelConfig) -> None:
        """Add a block's rows.

        Args:
            proved: the block, proved.
            config: the configuration under which it was committed.
        """
        rows = list(transaction_rows(proved))
        valid = [
            (row, transaction, rwset)
            for (row, transaction), rwset in zip(rows, proved.validated.rwsets, strict=True)
            if transaction is not None and rwset is not None and row.code == ValidationCode.VALID
        ]
        passed_over = never_limited(self.connection, (rwset for *_, rwset in valid), self.namespace)
        writes = [write for entry in valid for write in record_writes(*entry, self.namespace, passed_over)]
        self._insert(blocks, [{"number": proved.number, "header_hash": proved.header_hash}])
        check = EndorsementCheck(config.msps)
        self.write_rows(
            [row for row, _ in rows], writes, lambda write, owner: check.holds(write.transaction, owner)
        )
        store_limits(self.connection, proved.updates.public, self.namespace)

    def write_rows(
        self,
        rows: Sequence[TransactionRow],
        writes: Sequence[RecordWrite],
        endorsed: Callable[[RecordWrite, str], bool],
    ) -> None:
        """Add the rows of transactions and of the records that they wrote.

        Args:
            rows: the transactions.
            writes: the records, in the order in which they were written.
            endorsed: whether an organization's own peer endorsed a write.
        """
        self._insert(transactions, [vars(row) for row in rows])
        store_hours(self.connection, _times(rows, writes))
        membership = ChainMembership(known_chains(self.connection, *wanted_by(writes)))
        standing = self._standing(writes)
        collected = RecordChanges(standing, endorsed, membership)
        for write in writes:
            collected.add(write)
        self._store(collected, standing.keys())
        self.closing.update(row["owner"] for key, row in collected.records.items() if key[0] == CLOSED_EPOCH)
        self._insert(chains, list(membership.opened.values()))
        self._insert(chain_entries, membership.entries)

    def _standing(self, writes: Iterable[RecordWrite]) -> dict[RecordKey, Standing]:
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for write in writes:
            wanted[write.kind.name].add(write.record_id)
        table, found = records.c, {}
        for kind, ids in wanted.items():
            ordered = sorted(ids)
            for start in range(0, len(ordered), _IDS_PER_QUERY):
                part = ordered[start : start + _IDS_PER_QUERY]
                query = select(
                    table.record_id,
                    table.owner,
                    table.honoured,
                    table.first_block,
                    table.body,
                    table.block,
                    table.position,
                    table.state,
                ).where(table.kind == kind, table.record_id.in_(part))
                for row in self.connection.execute(query):
                    found[kind, row.record_id] = Standing(*row[1:])
        return found

    def _store(self, collected: RecordChanges, known: Set[RecordKey]) -> None:
        replace_rows(self.connection, records, list(collected.records.values()))
        self._delete_links(key for key in collected.links if key in known)
        self._insert(
            links,
            [
                {"from_kind": kind, "from_id": identifier, "to_kind": to_kind, "to_id": to_id}
                for (kind, identifier), targets in collected.links.items()
                for to_kind, to_id in targets
            ],
        )
        self._insert(changes, list(collected.changes.values()))
        self._keep_replaced(collected.replaced)
        self._insert(findings, list(collected.findings.values()))
        ids = {identifier for kind, identifier in known if kind == CONSENT}
        store_consents(self.connection, collected.consents, ids)
        store_consent_days(self.connection, collected.consent_days)
        store_accesses(self.connection, collected.attempts, collected.decisions)

    def _keep_replaced(self, replaced: Sequence[dict[str, Any]]) -> None:
        if replaced:
            this = and_(
                changes.c.block == bindparam("of_block"),
                changes.c.position == bindparam("of_position"),
                changes.c.kind == bindparam("of_kind"),
                changes.c.record_id == bindparam("of_id"),
            )
            self.connection.execute(
                update(changes).where(this).values(value=bindparam("new_value")), list(replaced)
            )

    def _delete_links(self, keys: Iterable[RecordKey]) -> None:
        parameters = [{"of_kind": kind, "of_id": identifier} for kind, identifier in keys]
        if parameters:
            this = and_(links.c.from_kind == bindparam("of_kind"), links.c.from_id == bindparam("of_id"))
            self.connection.execute(delete(links).where(this), parameters)

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        insert_rows(self.connection, table, rows)


def _times(rows: Iterable[TransactionRow], writes: Iterable[RecordWrite]) -> Iterator[tuple[int, str]]:
    """Block and instant of transactions, and of attempts, which state theirs themselves."""
    yield from ((row.block, row.proposal_time) for row in rows)
    for write in writes:
        if write.kind.name == ATTEMPT and write.body is not None:
            yield write.row.block, str(write.body["proposal_time"])
