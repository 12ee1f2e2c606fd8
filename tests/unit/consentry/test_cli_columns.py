"""Commands that name columns: what they ask for is what reaches the ledger's client."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.fake_ledger import FakeLedger, ask
from support.story import RESEARCH, grant, identifier, permit

from consentry.cli.main import run
from consentry_records.conditions import Conditions

ONE = ("--version", "version-1", "--purpose", RESEARCH)
TWO_COLUMNS = ("--column", "age", "--column", "größe")


def test_a_request_names_columns(fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]) -> None:
    fake_ledger.answers["grants.request"] = SimpleNamespace(request_id="request-1")
    ask(capsys, "grants", "request", *ONE, "--duration", "30d", *TWO_COLUMNS)
    ask(capsys, "grants", "request", *ONE, "--duration", "30d")
    asked = [call[2]["columns"] for call in fake_ledger.calls if call[0] == "grants.request"]
    assert asked == [["age", "größe"], ()]


def test_a_grant_is_bound_to_columns_and_categories(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_ledger.answers["grants.grant"] = grant(1)
    options = (*TWO_COLUMNS, "--data-category", "imaging")
    ask(capsys, "grants", "grant", "request-1", *ONE, "--duration", "12h", *options)
    (made,) = (call[2]["conditions"] for call in fake_ledger.calls if call[0] == "grants.grant")
    assert made == Conditions(columns=("age", "größe"), data_categories=("imaging",))


def test_narrowing_keeps_what_is_not_named(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_ledger.answers |= {"grants.get": grant(1), "grants.narrow": grant(1)}
    ask(capsys, "grants", "narrow", "grant-1", "--data-category", "imaging")
    (made,) = (call[2]["conditions"] for call in fake_ledger.calls if call[0] == "grants.narrow")
    assert made == Conditions(data_categories=("imaging",))


def test_a_column_that_no_schema_has_is_refused_before_anything_is_sent(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--as", "a/b", "grants", "grant", "request-1", *ONE, "--duration", "12h"]
    assert run([*arguments, "--column", "a\u202eb"]) != 0
    assert "FIELD_INVALID" in capsys.readouterr().err
    assert [call for call in fake_ledger.calls if call[0] == "grants.grant"] == []


def test_an_attempt_names_columns(fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]) -> None:
    fake_ledger.answers |= {
        "access.attempt": identifier("attempt", 1),
        "access.wait_for_decision": permit(1),
    }
    ask(capsys, "access", "attempt", "version-1", "--purpose", RESEARCH, *TWO_COLUMNS)
    (made,) = (call[2]["columns"] for call in fake_ledger.calls if call[0] == "access.attempt")
    assert made == ["age", "größe"]


def test_aggregates_are_asked_for_by_columns(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_ledger.answers["data.aggregates"] = {"groups": []}
    shown = ask(capsys, "data", "aggregates", "version-1", "--purpose", RESEARCH, "--column", "age", "--json")
    assert json.loads(shown) == {"groups": []}
    (made,) = (call[2]["columns"] for call in fake_ledger.calls if call[0] == "data.aggregates")
    assert made == ["age"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_gate_does_not_begin_with_roots_that_are_none(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_text(content)
    assert run(["--as", "a/b", "gate", "serve", "--client-certificates", str(path)]) != 0
    assert "CLIENT_ROOTS_INVALID" in capsys.readouterr().err
    assert fake_ledger.calls == []
