"""Attempts and decisions of a block written into the index."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from consentry.index.bulk import insert_rows
from consentry.index.record_changes import OPEN
from consentry.index.schema import accesses, denials

_DECIDED = (
    "outcome",
    "reasons",
    "rules",
    "grant_id",
    "decided_at",
    "permit_not_after",
    "decision_block",
    "decision_transaction_id",
)


def store_accesses(
    connection: Connection, attempts: Sequence[Mapping[str, Any]], decisions: Sequence[Mapping[str, Any]]
) -> None:
    """Add attempts, and join decisions to theirs.

    A decision by anybody but the custodian of the data decides nothing, nor does a second one.

    Args:
        connection: the index.
        attempts: rows of the table ``accesses``, open.
        decisions: what decisions make of them.
    """
    insert_rows(connection, accesses, attempts)
    if not decisions:
        return
    this = and_(
        accesses.c.attempt_id == bindparam("of_attempt"),
        accesses.c.custodian == bindparam("of_custodian"),
        accesses.c.outcome == OPEN,
    )
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _DECIDED}
    parameters = [
        {"of_attempt": row["attempt_id"], "of_custodian": row["custodian"]}
        | {f"new_{name}": row[name] for name in _DECIDED}
        for row in decisions
    ]
    connection.execute(update(accesses).where(this).values(values), parameters)
    _store_denials(connection, decisions)


def _store_denials(connection: Connection, decisions: Sequence[Mapping[str, Any]]) -> None:
    """Note the codes for which attempts were denied, of decisions that count."""
    parameters = [
        {"of_attempt": row["attempt_id"], "by": row["decision_transaction_id"], "of_code": code}
        for row in decisions
        if row["outcome"] == "deny"
        for code in sorted({str(reason["code"]) for reason in json.loads(row["reasons"])})
    ]
    if not parameters:
        return
    table = accesses.c
    decided = select(
        bindparam("of_code", type_=denials.c.code.type), table.block, table.position, table.attempt_id
    ).where(table.attempt_id == bindparam("of_attempt"), table.decision_transaction_id == bindparam("by"))
    connection.execute(insert(denials).from_select(list(denials.c.keys()), decided), parameters)
