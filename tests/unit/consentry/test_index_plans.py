"""How questions are answered: by an index, not by reading everything that somebody else did.

What would read or sort a whole table first is a fault.
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

# What SQLite's ANALYZE says of an index of 1,000,000 events of `benchmarks.trail_events`.
STATISTICS = {
    "records": {
        "records_by_owner": "1082088 1001 1001",
        "records_by_block": "1308888 1001 106 1",
        "records_by_name": "1085056 1001 1001",
        "records_by_subject": "11197200 2",
        "sqlite_autoindex_records_1": "1130496 1001 1",
    },
    "changes": {
        "changes_by_record": "1115100 1001 1 1 1",
        "sqlite_autoindex_changes_1": "967680 334 1 1 1",
    },
    "transactions": {
        "transactions_by_organization": "1233696 1001 334 1",
        "transactions_by_creator": "1286604 1001 334 1",
        "transactions_by_id": "864800 1",
        "transactions_by_code": "1331200 1001 334 1",
        "transactions_invalid": "100 1 1",
        "sqlite_autoindex_transactions_1": "1382040 334 1",
    },
    "links": {"links_back": "1244880 667 2 2", "sqlite_autoindex_links_1": "1484280 1001 2 1 1"},
    "accesses": {
        "accesses_by_outcome": "487080 1001 35 1",
        "accesses_by_organization": "451764 1001 63 1",
        "accesses_by_requester": "432054 1001 2 1",
        "accesses_by_version": "197472 1001 4 1",
        "accesses_by_place": "437076 167 1",
        "accesses_by_grant": "3475780 1001",
        "accesses_by_recipient": "341744 1001 1001 501",
        "accesses_by_custodian": "431024 1001 63 1",
        "accesses_by_purpose": "431024 1001 35 1",
        "sqlite_autoindex_accesses_1": "437400 1",
    },
    "denials": {"sqlite_autoindex_denials_1": "131000 1001 4 1"},
    "block_hours": {"sqlite_autoindex_block_hours_1": "8760 1"},
}
LARGE = (
    "denials",
    "accesses",
    "transactions",
    "records",
    "changes",
    "links",
    "chain_entries",
    "ledger_state",
    "blocks",
)
Question = Callable[[Trail], object]

BY_INDEX: dict[str, Question] = {
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
    "dataset": lambda trail: trail.accesses(AccessFilter(dataset="biopsies")),
    "versions, newest first": lambda trail: trail.accesses(
        AccessFilter(versions=tuple(identifier("version", number) for number in (1, 2, 3))),
        PageRequest(2, "3.1", newest_first=True),
    ),
    "custodian": lambda trail: trail.accesses(AccessFilter(custodian=NORTHGATE)),
    "custodian, next page": lambda trail: trail.accesses(
        AccessFilter(custodian=NORTHGATE), PageRequest(2, "3.1")
    ),
    "organization": lambda trail: trail.accesses(AccessFilter(requester_msp=RIVERSIDE)),
    "person": lambda trail: trail.accesses(AccessFilter(requester="clerk-1")),
    "outcome": lambda trail: trail.accesses(AccessFilter(outcome="deny")),
    "open": lambda trail: trail.open_attempts(instant(23)),
    "purpose": lambda trail: trail.accesses(AccessFilter(purpose="DUO:0000042")),
    "reason": lambda trail: trail.accesses(AccessFilter(reason="NO_GRANT")),
    "reason, next page": lambda trail: trail.accesses(AccessFilter(reason="NO_GRANT"), PageRequest(2, "3.1")),
    "time": lambda trail: trail.accesses(AccessFilter(since=instant(3), until=instant(5))),
    "time of transactions": lambda trail: trail.transactions(
        TransactionFilter(since=instant(3), until=instant(5))
    ),
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
    rows = [(table, index, stat) for table, found in STATISTICS.items() for index, stat in found.items()]
    with made.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sqlite_stat1")
        connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", rows)
    with made.connect() as connection:
        # Read them anew.
        connection.exec_driver_sql("ANALYZE sqlite_schema")
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


def test_the_consents_of_one_subject_are_found_by_the_subject(engine: Engine) -> None:
    found = plans(engine, lambda trail: trail.records("consent", subject=SUBJECT))
    assert found[0] == "SEARCH records USING INDEX records_by_subject (subject=?)"


def test_an_index_that_grew_knows_what_its_values_give() -> None:
    made = open_database("sqlite://")
    with made.connect() as connection:
        assert not connection.dialect.has_table(connection, "sqlite_stat1")
    IndexFollower(made, "consentry").follow(memory_source("peer", tell().chain.blocks))
    with made.connect() as connection:
        known = connection.exec_driver_sql("SELECT DISTINCT tbl FROM sqlite_stat1").scalars().all()
    assert {"records", "accesses", "transactions", "links"} <= set(known)
    made.dispose()


def test_what_is_invalid_is_read_from_an_index_of_its_own(engine: Engine) -> None:
    found = plans(engine, lambda trail: trail.transactions(TransactionFilter(invalid_only=True)))
    assert found == ["SCAN transactions USING INDEX transactions_invalid"]


def test_the_status_reads_no_rows_of_transactions(engine: Engine) -> None:
    assert scans(plans(engine, lambda trail: trail.status())) == [
        "SCAN transactions USING COVERING INDEX transactions_by_code"
    ]


def test_an_unknown_code_finds_nothing(engine: Engine) -> None:
    assert Trail(engine).transactions(TransactionFilter(code_name="NO_SUCH_CODE")).items == ()
