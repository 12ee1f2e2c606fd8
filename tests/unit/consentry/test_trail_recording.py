"""Reads of the trail are on the ledger: questions from Python and the command line, reports, and outages."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from support.ledger_gateway import LedgerGateway
from support.story import PROFILE, SUBJECT, identifier, tell

from consentry.cli.context import CommandContext
from consentry.cli.main import run
from consentry.index import AccessFilter, IndexFault, IndexFollower, TransactionFilter, open_database
from consentry.ledger import Ledger
from consentry.recorded_trail import concerned_in
from consentry.verification import memory_source
from consentry_records.digest import sha256_digest
from consentry_records.trail_read import TrailRead
from fabric_gateway.failures import StatusFailure

STORY = tell()
GONE = StatusFailure("UNAVAILABLE", "failed to connect to all addresses", not_sent=True)
LAST = len(STORY.chain.blocks) - 1
SUBJECT_REPORT = ("report", "subject-access", "--subject", SUBJECT, "--format", "json")


@pytest.fixture
def officer(ledger_of, tmp_path: Path) -> Ledger:  # type: ignore[no-untyped-def]
    engine = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    IndexFollower(engine, "consentry", STORY.chain.anchor).follow(memory_source("peer", STORY.chain.blocks))
    engine.dispose()
    found: Ledger = ledger_of("NorthgateMSP", "dpo")
    return found


def reads(gateway: LedgerGateway) -> list[TrailRead]:
    found = [
        TrailRead.from_bytes(value)
        for key, value in gateway.memory.states().items()
        if key.startswith("trailread/")
    ]
    return sorted(found, key=lambda read: read.read_at)


def only(gateway: LedgerGateway) -> TrailRead:
    (found,) = reads(gateway)
    return found


QUESTIONS = [
    ("dataset", lambda trail: trail.accesses(AccessFilter(dataset="biopsies")), ("biopsies",), 3),
    ("actor", lambda trail: trail.accesses(AccessFilter(requester="clerk-1")), ("clerk-1",), 1),
    ("actor", lambda trail: trail.accesses(AccessFilter(requester="Jane.Doe")), (), 0),
    (
        "transactions",
        lambda trail: trail.transactions(TransactionFilter(creator="service-1")),
        ("service-1",),
        2,
    ),
    ("records", lambda trail: trail.record("grant", identifier("grant", 1)), (identifier("grant", 1),), 1),
    ("subject", lambda trail: trail.records("consent", subject=SUBJECT), (SUBJECT,), 1),
    ("subject", lambda trail: trail.subject(SUBJECT), (SUBJECT,), 5),
    (
        "history",
        lambda trail: trail.history("consent", identifier("consent", 1)),
        (identifier("consent", 1),),
        2,
    ),
    ("findings", lambda trail: trail.findings(), (), 0),
    ("dataset", lambda trail: trail.open_attempts("2027-01-01T00:00:00.000Z"), (), 1),
    ("dataset", lambda trail: trail.to_frame(AccessFilter(dataset="biopsies")), ("biopsies",), 3),
    ("transactions", lambda trail: trail.to_frame(TransactionFilter(creator="service-1")), ("service-1",), 2),
    ("records", lambda trail: trail.to_frame("consent"), (), 2),
    (
        "impact",
        lambda trail: trail.impact(identifier("consent", 1)),
        (identifier("consent", 1), SUBJECT),
        None,
    ),
    (
        "model",
        lambda trail: trail.model_lineage(identifier("modelversion", 1)),
        (identifier("modelversion", 1),),
        None,
    ),
]


@pytest.mark.parametrize(("question", "ask", "concerned", "count"), QUESTIONS)
def test_each_question_is_on_the_ledger(gateway, officer, question, ask, concerned, count) -> None:  # type: ignore[no-untyped-def]
    ask(officer.trail)
    read = only(gateway)
    assert (read.question, read.concerned, read.last_block) == (question, concerned, LAST)
    assert read.row_count == count if count is not None else read.row_count > 0
    assert (read.reader_msp, read.reader, read.claimed_at) == (
        "NorthgateMSP",
        officer.identity.enrolment_id,
        None,
    )


def test_what_is_refused_is_no_read(gateway: LedgerGateway, officer: Ledger) -> None:
    with pytest.raises(IndexFault):
        officer.trail.impact("consent-unknown")
    assert reads(gateway) == []


def test_what_waits_is_recorded_with_the_next_read_once_and_with_both_times(
    gateway: LedgerGateway, officer: Ledger
) -> None:
    gateway.failures["endorse"] = [GONE] * 2
    officer.trail.findings()
    officer.trail.history("consent", identifier("consent", 1))
    assert reads(gateway) == []
    assert [read.question for read in officer.trail_reads.waiting()] == ["findings", "history"]
    gateway.failures["endorse"] = []
    gateway.memory.advance(timedelta(hours=1))
    officer.trail.accesses(AccessFilter(dataset="biopsies"))
    assert {read.question for read in reads(gateway)} == {"findings", "history", "dataset"}
    late = [read for read in reads(gateway) if read.claimed_at is not None]
    assert {read.question for read in late} == {"findings", "history"}
    assert all(read.claimed_at is not None and read.claimed_at < read.read_at for read in late)
    assert officer.trail_reads.waiting() == ()


def test_an_answer_that_was_lost_is_not_recorded_twice(gateway: LedgerGateway, officer: Ledger) -> None:
    gateway.failures["submit"] = [StatusFailure("DEADLINE_EXCEEDED", "slow")]
    gateway.failures["commit_status"] = [StatusFailure("DEADLINE_EXCEEDED", "slow")] * 20
    officer.trail.findings()
    gateway.failures["commit_status"] = []
    sent = officer.trail_reads.send()
    assert (sent.refused, sent.waiting) == (0, 0)
    assert only(gateway).question == "findings"


@pytest.fixture
def command(
    gateway: LedgerGateway, officer: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The command of an officer whose peer is the one in memory."""
    (tmp_path / "network.json").write_text(PROFILE)
    monkeypatch.setattr(CommandContext, "connect", lambda _: gateway.ledger(officer.identity, tmp_path))
    monkeypatch.setattr("consentry.cli.index_access.catch_up", lambda *_: (0, 0))
    return ["--network", str(tmp_path), "--as", "northgate/dpo"]


def test_questions_and_reports_of_the_command_line_are_on_the_ledger(
    gateway: LedgerGateway, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "trail", "dataset", "biopsies", "--json"]) == 0
    assert only(gateway).question == "dataset"
    capsys.readouterr()
    assert run([*command, *SUBJECT_REPORT]) == 0
    written = capsys.readouterr().out
    (report,) = [read for read in reads(gateway) if read.report is not None]
    assert (report.report, report.last_block, set(report.concerned)) == (
        "gdpr-15",
        LAST,
        {"NorthgateMSP", SUBJECT},
    )
    assert report.report_digest == sha256_digest(written.encode())
    tables = json.loads(written)["tables"].values()
    assert report.row_count == sum(len(table["rows"]) for table in tables)


def test_the_command_answers_while_the_ledger_is_away_and_says_so(
    gateway: LedgerGateway, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.failures["endorse"] = [GONE]
    assert run([*command, "trail", "findings"]) == 0
    assert "this read waits in the outbox" in capsys.readouterr().err
    assert run([*command, "outbox", "list", "--json"]) == 0
    (waiting,) = json.loads(capsys.readouterr().out)["trail_reads"]
    assert waiting["question"] == "findings"
    assert run([*command, "outbox", "send"]) == 0
    assert "Reads: 1 recorded, 0 refused, 0 waiting." in capsys.readouterr().out
    assert only(gateway).question == "findings"


def test_a_local_read_is_not_recorded_and_says_what_that_means(
    gateway: LedgerGateway, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for question in (("trail", "dataset", "biopsies"), SUBJECT_REPORT):
        assert run([*command, "--local", *question]) == 0
        assert capsys.readouterr().err.startswith("Not on record (--local)")
    assert reads(gateway) == []


def test_a_read_of_nobody_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for question in (("trail", "findings"), SUBJECT_REPORT):
        assert run([*command[:2], *question]) == 1
        assert "READER_MISSING" in capsys.readouterr().err


def test_names_that_the_ledger_does_not_know_stay_here() -> None:
    known = [SUBJECT, identifier("session", 1), "biopsies"]
    assert concerned_in([*known, "Jane Doe"], found=False) == known[:2]
    assert concerned_in([*known, "Jane Doe", None, ""], found=True) == known
    assert concerned_in([f"{identifier('session', 1)}/000001"], found=False) == [identifier("session", 1)]
