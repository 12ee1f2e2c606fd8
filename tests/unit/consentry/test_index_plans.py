"""How questions are answered: by an index, not by reading everything that somebody else did.

A question that no index answers (a purpose, a time alone) reads the ledger in the answer's order and stops
where the page is full; what would read or sort a whole table first is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, event
from support.story import NORTHGATE, RIVERSIDE, SUBJECT, identifier, instant, tell

from consentry.index import (
    AccessFilter,
    IndexFollower,
    PageRequest,
    Trail,
    TransactionFilter,
    open_database,
)
from consentry.verification import memory_source

LARGE = ("accesses", "transactions", "records", "changes", "links", "chain_entries", "ledger_state", "blocks")
Question = Callable[[Trail], object]

BY_INDEX: dict[str, Question] = {
    "dataset": lambda trail: trail.accesses(AccessFilter(dataset="biopsies")),
    "versions": lambda trail: trail.accesses(AccessFilter(versions=(identifier("version", 1),))),
    "session": lambda trail: trail.accesses(AccessFilter(session=identifier("session", 1))),
    "model": lambda trail: trail.accesses(AccessFilter(model=identifier("model", 1))),
    "grant": lambda trail: trail.accesses(AccessFilter(grant=identifier("grant", 1))),
    "transaction": lambda trail: trail.transactions(TransactionFilter(transaction_id="x")),
    "record": lambda trail: trail.record("grant", identifier("grant", 1)),
    "records by owner": lambda trail: trail.records("grant", owner=NORTHGATE),
    "records by name": lambda trail: trail.records("dataset", name="biopsies"),
    "records by subject": lambda trail: trail.records("consent", subject=SUBJECT),
    "history": lambda trail: trail.history("consent", identifier("consent", 1)),
    "subject": lambda trail: trail.subject(SUBJECT),
    "impact": lambda trail: trail.impact(identifier("consent", 1)),
    "lineage": lambda trail: trail.model_lineage(identifier("modelversion", 1)),
}
IN_ORDER: dict[str, Question] = {
    "custodian": lambda trail: trail.accesses(AccessFilter(custodian=NORTHGATE)),
    "custodian, next page": lambda trail: trail.accesses(
        AccessFilter(custodian=NORTHGATE), PageRequest(2, "3.1")
    ),
    "organization": lambda trail: trail.accesses(AccessFilter(requester_msp=RIVERSIDE)),
    "person": lambda trail: trail.accesses(AccessFilter(requester="clerk-1")),
    "outcome": lambda trail: trail.accesses(AccessFilter(outcome="deny")),
    "open": lambda trail: trail.open_attempts(instant(23)),
    "blocks": lambda trail: trail.accesses(AccessFilter(from_block=3, to_block=9)),
    "creator": lambda trail: trail.transactions(TransactionFilter(creator="steward-1")),
    "creators of an organization": lambda trail: trail.transactions(TransactionFilter(creator_msp=NORTHGATE)),
    "code": lambda trail: trail.transactions(TransactionFilter(code_name="MVCC_READ_CONFLICT")),
    "blocks of transactions": lambda trail: trail.transactions(TransactionFilter(from_block=3)),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = open_database("sqlite://")
    IndexFollower(made, "consentry").follow(memory_source("peer", tell().chain.blocks))
    yield made
    made.dispose()


def plans(engine: Engine, ask: Question) -> list[str]:
    """What SQLite does for each statement of an answer."""
    asked = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: object, *_rest: object
    ) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        ask(Trail(engine))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    found = []
    with engine.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
                found += [str(row[3]) for row in rows]
    assert found
    return found


def scans(found: list[str]) -> list[str]:
    return [step for step in found if step.startswith("SCAN ") and step.split()[1] in LARGE]


@pytest.mark.parametrize("question", [*BY_INDEX, *IN_ORDER])
def test_an_index_answers(engine: Engine, question: str) -> None:
    assert scans(plans(engine, {**BY_INDEX, **IN_ORDER}[question])) == []


@pytest.mark.parametrize("question", IN_ORDER)
def test_a_page_is_read_in_its_order_and_not_sorted(engine: Engine, question: str) -> None:
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plans(engine, IN_ORDER[question]))


def test_what_is_invalid_is_read_from_an_index_of_its_own(engine: Engine) -> None:
    found = plans(engine, lambda trail: trail.transactions(TransactionFilter(invalid_only=True)))
    assert found == ["SCAN transactions USING INDEX transactions_invalid"]


def test_the_status_reads_no_rows_of_transactions(engine: Engine) -> None:
    assert scans(plans(engine, lambda trail: trail.status())) == [
        "SCAN transactions USING COVERING INDEX transactions_by_code"
    ]


def test_an_unknown_code_finds_nothing(engine: Engine) -> None:
    assert Trail(engine).transactions(TransactionFilter(code_name="NO_SUCH_CODE")).items == ()
