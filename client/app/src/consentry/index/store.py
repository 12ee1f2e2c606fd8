"""Rows of one proved block written into the index, within whatever transaction the caller has open."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from consentry.index.forgery import EndorsementCheck
from consentry.index.interpretation import (
    RecordWrite,
    TransactionRow,
    record_writes,
    transaction_rows,
)
from consentry.index.schema import accesses, changes, findings, links, records, transactions
from consentry.verification import ProvedBlock
from fabric_protocol.channel_config import ChannelConfig

OPEN = "open"
DELETED = "deleted"
FORGED = "FORGED"
REWRITTEN = "REWRITTEN"
UNREADABLE = "UNREADABLE"


@dataclass(frozen=True)
class BlockWriter:
    """Writes a block's transactions and records as rows.

    Attributes:
        connection: an open connection in a transaction.
        namespace: name of the chaincode whose records are indexed.
    """

    connection: Connection
    namespace: str

    def write(self, proved: ProvedBlock, config: ChannelConfig) -> None:
        """Add a block's rows.

        Args:
            proved: the block, proved.
            config: the configuration under which it was committed.
        """
        rows = list(transaction_rows(proved))
        self.connection.execute(insert(transactions), [asdict(row) for row, _ in rows])
        check = EndorsementCheck(config.msps)
        for (row, transaction), rwset in zip(rows, proved.validated.rwsets, strict=True):
            if transaction is None:
                continue
            for write in record_writes(row, transaction, rwset, self.namespace):
                self._write_record(write, check)

    def _write_record(self, write: RecordWrite, check: EndorsementCheck) -> None:
        before = self._existing(write)
        owner = write.kind.owner(write.body) if write.body is not None else ""
        if before is not None and write.kind.custodian_signs:
            # Whoever rewrites a record could name itself as its custodian.
            owner = before.owner
        honoured = not write.kind.custodian_signs or check.holds(write.transaction, owner)
        self._report(write, before, owner, honoured)
        state = _state(write)
        self.connection.execute(insert(changes), [_change(write, state, honoured)])
        if before is not None and before.honoured and not honoured:
            # A record that its custodian made stays as its custodian made it.
            return
        self._replace_record(write, before, owner, state, honoured)
        if honoured and write.body is not None:
            self._replace_links(write)
            self._write_access(write)

    def _existing(self, write: RecordWrite) -> Any:
        query = select(records).where(
            records.c.kind == write.kind.name, records.c.record_id == write.record_id
        )
        return self.connection.execute(query).first()

    def _replace_record(
        self, write: RecordWrite, before: Any, owner: str, state: str, honoured: bool
    ) -> None:
        values = _place(write.row) | {
            "owner": owner,
            "name": _text(write, "name"),
            "subject": _text(write, "subject"),
            "state": state,
            "honoured": honoured,
            "body": write.value.decode("utf-8", "replace") if write.body is not None else "",
        }
        if before is None:
            key = {"kind": write.kind.name, "record_id": write.record_id, "first_block": write.row.block}
            self.connection.execute(insert(records), [key | values])
            return
        table = records.c
        this = (table.kind == write.kind.name) & (table.record_id == write.record_id)
        self.connection.execute(update(records).where(this).values(**values))

    def _replace_links(self, write: RecordWrite) -> None:
        table = links.c
        this = (table.from_kind == write.kind.name) & (table.from_id == write.record_id)
        self.connection.execute(delete(links).where(this))
        targets = sorted(set(write.kind.links(write.body or {})))
        if targets:
            key = {"from_kind": write.kind.name, "from_id": write.record_id}
            self.connection.execute(
                insert(links), [key | {"to_kind": kind, "to_id": identifier} for kind, identifier in targets]
            )

    def _write_access(self, write: RecordWrite) -> None:
        body = write.body or {}
        if write.kind.name == "attempt":
            self.connection.execute(insert(accesses), [_attempt_row(write, body)])
        elif write.kind.name == "decision":
            same = (accesses.c.attempt_id == write.record_id) & (accesses.c.outcome == OPEN)
            # A decision by anybody but the custodian of the attempted data decides nothing.
            same &= accesses.c.custodian == str(body.get("custodian"))
            self.connection.execute(update(accesses).where(same).values(**_decision_values(write, body)))

    def _report(self, write: RecordWrite, before: Any, owner: str, honoured: bool) -> None:
        name = f"{write.kind.name} {write.record_id}"
        if write.body is None and write.value:
            self._finding(write, UNREADABLE, f"The {name} was written as something that is no record.")
        if not honoured:
            who = owner or "any custodian"
            self._finding(write, FORGED, f"The {name} was written without the endorsement of {who}: forged.")
        elif before is not None and write.kind.written_once:
            self._finding(write, REWRITTEN, f"The {name} was written again; the contracts never do that.")

    def _finding(self, write: RecordWrite, code: str, sentence: str) -> None:
        row = {
            "block": write.row.block,
            "position": write.row.position,
            "kind": write.kind.name,
            "record_id": write.record_id,
            "code": code,
            "sentence": sentence,
        }
        self.connection.execute(insert(findings), [row])


def _text(write: RecordWrite, name: str) -> str:
    return str(write.body.get(name) or "") if write.body is not None else ""


def _state(write: RecordWrite) -> str:
    return DELETED if write.body is None else write.kind.state(write.body)


def _place(row: TransactionRow) -> dict[str, Any]:
    return {
        "block": row.block,
        "position": row.position,
        "transaction_id": row.transaction_id,
        "recorded_at": row.proposal_time,
    }


def _change(write: RecordWrite, state: str, honoured: bool) -> dict[str, Any]:
    key = {"kind": write.kind.name, "record_id": write.record_id}
    return _place(write.row) | key | {"state": state, "honoured": honoured}


def _attempt_row(write: RecordWrite, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "attempt_id": write.record_id,
        "version_id": str(body["version_id"]),
        "custodian": str(body["custodian"]),
        "requester_msp": str(body["requester_msp"]),
        "requester": str(body["requester"]),
        "roles": ",".join(body["roles"]),
        "purpose": str(body["purpose"]),
        "commercial": bool(body["commercial"]),
        "attempted_at": str(body["proposal_time"]),
        "block": write.row.block,
        "position": write.row.position,
        "transaction_id": write.row.transaction_id,
        "outcome": OPEN,
        "reasons": "[]",
        "rules": "[]",
        "grant_id": "",
        "decided_at": "",
        "permit_not_after": "",
        "decision_block": None,
        "decision_transaction_id": "",
    }


def _decision_values(write: RecordWrite, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcome": str(body["outcome"]),
        "reasons": json.dumps(body["reasons"], sort_keys=True),
        "rules": json.dumps(body["rules"]),
        "grant_id": str(body["grant_id"] or ""),
        "decided_at": str(body["decided_at"]),
        "permit_not_after": str(body["permit_not_after"] or ""),
        "decision_block": write.row.block,
        "decision_transaction_id": write.row.transaction_id,
    }
