"""docs/ledger-format.md says what the code does."""

from __future__ import annotations

from support.ledger_tables import DOCUMENT, TABLES, filled


def test_the_documents_tables_are_the_codes() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert document == filled(document), "run: cd tests && ../.venv/bin/python -m support.ledger_tables"


def test_every_table_is_in_the_document() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    for name in TABLES:
        assert document.count(f"<!-- table: {name} -->\n") == 1
