"""What one block's record writes make of the index: computed without the database, then stored at once."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from consentry.index.chain_membership import ChainMembership
from consentry.index.consent_rows import CONSENT, ConsentDay, consent_row
from consentry.index.interpretation import RecordWrite, TransactionRow
from consentry.index.record_kinds import read_record
from consentry_records.consent import GIVEN

ATTEMPT = "attempt"
OPEN = "open"
DELETED = "deleted"
FORGED = "FORGED"
REWRITTEN = "REWRITTEN"
UNREADABLE = "UNREADABLE"

RecordKey = tuple[str, str]
"""Kind and id."""


class Standing(NamedTuple):
    """What the index already holds of a record."""

    owner: str
    honoured: bool
    first_block: int
    body: str
    block: int
    position: int
    state: str

    @property
    def holds(self) -> bool:
        """Whether a consent's record is one that is in force."""
        return self.honoured and self.state == GIVEN


class RecordChanges:
    """Takes a block's record writes in their order.

    Args:
        standing: the records written by the block that the index holds already.
        endorsed: whether an organization's own peer endorsed a write.
        chains: takes the completeness chains that the writes join.
    """

    def __init__(
        self,
        standing: Mapping[RecordKey, Standing],
        endorsed: Callable[[RecordWrite, str], bool],
        chains: ChainMembership,
    ) -> None:
        self._standing = dict(standing)
        self._endorsed = endorsed
        self._chains = chains
        self.records: dict[RecordKey, dict[str, Any]] = {}
        self.links: dict[RecordKey, list[RecordKey]] = {}
        self.changes: dict[tuple[int, int, str, str], dict[str, Any]] = {}
        self.replaced: list[dict[str, Any]] = []
        self.findings: dict[tuple[int, int, str, str, str], dict[str, Any]] = {}
        self.attempts: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []
        self.consents: dict[str, dict[str, Any] | None] = {}
        self.consent_days: Counter[ConsentDay] = Counter()

    def add(self, write: RecordWrite) -> None:
        """Take one write."""
        key = (write.kind.name, write.record_id)
        before = self._standing.get(key)
        owner = write.kind.owner(write.body) if write.body is not None else ""
        if before is not None and write.kind.custodian_signs:
            # Whoever rewrites a record could name itself as its custodian.
            owner = before.owner
        honoured = not write.kind.custodian_signs or self._endorsed(write, owner)
        rewritten = before is not None and before.honoured and _is_rewritten(before, write)
        self._report(write, owner, honoured, rewritten)
        counts = honoured and not rewritten
        self._chains.add(write, owner, honoured)
        stays = before is not None and before.honoured and not counts
        self._note_change(write, counts, honoured, keep_value=stays or write.body is None)
        if stays:
            # A record that its custodian made stays as its custodian made it.
            return
        if before is not None and before.body:
            self._keep_replaced(key, before)
        first_block = before.first_block if before is not None else write.row.block
        row = self.records[key] = _record_row(write, owner, counts, first_block)
        if write.kind.name == CONSENT:
            self.consents[write.record_id] = consent_row(write, counts)
        standing = self._standing[key] = Standing(
            owner, counts, first_block, row["body"], write.row.block, write.row.position, row["state"]
        )
        if write.kind.name == CONSENT:
            self._count_consent(before, standing, write.row.proposal_time)
        if counts:
            self.links[key] = sorted(set(write.kind.links(write.body or {})))
            self._take_access(write)

    def _count_consent(self, before: Standing | None, after: Standing, proposal_time: str) -> None:
        held = before is not None and before.holds
        if held != after.holds:
            self.consent_days[after.owner, proposal_time[:10], after.holds] += 1

    def _take_access(self, write: RecordWrite) -> None:
        if write.body is None:
            return
        if write.kind.name == ATTEMPT:
            self.attempts.append(_attempt_row(write, write.body))
        elif write.kind.name == "decision":
            self.decisions.append(_decision_row(write, write.body))

    def _keep_replaced(self, key: RecordKey, before: Standing) -> None:
        """Keep what a record was with the write that made it so: the record itself is what it is now."""
        place = (before.block, before.position, *key)
        value = before.body.encode()
        if place in self.changes:
            self.changes[place]["value"] = value
        else:
            self.replaced.append(
                dict(zip(("of_block", "of_position", "of_kind", "of_id"), place, strict=True))
                | {"new_value": value}
            )

    def _note_change(self, write: RecordWrite, counts: bool, endorsed: bool, *, keep_value: bool) -> None:
        row = write.row
        key = (row.block, row.position, write.kind.name, write.record_id)
        values: dict[str, Any] = {
            "kind": write.kind.name,
            "record_id": write.record_id,
            "state": _state(write),
        }
        values |= {"honoured": counts, "endorsed": endorsed, "value": write.value if keep_value else None}
        self.changes[key] = _place(row) | values

    def _report(self, write: RecordWrite, owner: str, honoured: bool, rewritten: bool) -> None:
        name = f"{write.kind.name} {write.record_id}"
        if write.body is None and write.value:
            self._finding(write, UNREADABLE, f"The {name} was written as something that is no record.")
        if not honoured:
            who = owner or "any custodian"
            self._finding(write, FORGED, f"The {name} was written without the endorsement of {who}: forged.")
        elif rewritten:
            self._finding(write, REWRITTEN, f"The {name} was written again; the contracts never do that.")

    def _finding(self, write: RecordWrite, code: str, sentence: str) -> None:
        row = write.row
        values = {
            "block": row.block,
            "position": row.position,
            "kind": write.kind.name,
            "record_id": write.record_id,
            "code": code,
        }
        key = (row.block, row.position, write.kind.name, write.record_id, code)
        self.findings[key] = values | {"sentence": sentence}


def _is_rewritten(before: Standing, write: RecordWrite) -> bool:
    kind = write.kind
    if not kind.ending:
        return kind.written_once
    known = read_record(kind, write.record_id, before.body.encode()) if before.body else None
    return kind.is_rewritten(known, write.body)


def _record_row(write: RecordWrite, owner: str, honoured: bool, first_block: int) -> dict[str, Any]:
    return _place(write.row) | {
        "kind": write.kind.name,
        "record_id": write.record_id,
        "owner": owner,
        "name": _text(write, "name"),
        "subject": _text(write, "subject"),
        "state": _state(write),
        "honoured": honoured,
        "body": write.value.decode("utf-8") if write.body is not None else "",
        "first_block": first_block,
    }


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


def _decision_row(write: RecordWrite, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "attempt_id": write.record_id,
        "custodian": str(body["custodian"]),
        "outcome": str(body["outcome"]),
        "reasons": json.dumps(body["reasons"], sort_keys=True),
        "rules": json.dumps(body["rules"]),
        "grant_id": str(body["grant_id"] or ""),
        "decided_at": str(body["decided_at"]),
        "permit_not_after": str(body["permit_not_after"] or ""),
        "decision_block": write.row.block,
        "decision_transaction_id": write.row.transaction_id,
    }
