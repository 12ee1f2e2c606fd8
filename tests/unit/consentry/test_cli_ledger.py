"""Commands that act on the ledger: what they ask of the domain API, and what they answer."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fake_ledger import FakeLedger, ask
from support.story import RESEARCH, attempt, consent, denial, grant, identifier, instant, permit, version

from consentry.access import AccessState
from consentry.cli.frames import parse_duration, parse_time, read_consents
from consentry.cli.main import run
from consentry.consents import ImportSummary
from consentry.data_files import read_frames
from consentry.errors import InputRejected, LedgerRefused, LedgerUnreachable
from consentry_records.access import AccessDecision
from consentry_records.reasons import Reason

NO_ROLE = Reason(code="ROLE_MISSING", parameters={"role": "researcher"})


def test_consents_are_imported_from_a_file(
    fake_ledger: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "consents.csv"
    file.write_text("pseudonym,purposes,restrictions\n007,DUO:0000006; TREAT,\n008,TREAT,DUO:0000046\n")
    fake_ledger.answers["consents.import_frame"] = ImportSummary(2, 0.5, 1)
    shown = ask(capsys, "consents", "import", str(file), "--batch-size", "100")
    assert shown == "2 consents recorded in 0.50 s (4/s).\n"
    (name, (frame, batch_size, _progress), _), closed = fake_ledger.calls
    assert (name, batch_size, closed[0]) == ("consents.import_frame", 100, "close")
    assert list(frame["pseudonym"]) == ["007", "008"]
    assert list(frame["purposes"]) == [["DUO:0000006", "TREAT"], ["TREAT"]]
    assert list(frame["restrictions"]) == [[], ["DUO:0000046"]]
    answer = json.loads(ask(capsys, "consents", "import", str(file), "--json"))
    assert answer == {"count": 2, "seconds": 0.5, "rate": 4.0, "batches": 1}


def test_withdrawals_are_named(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ledger.answers["consents.withdraw"] = ("consent-1",)
    shown = ask(capsys, "consents", "withdraw", "--consent", "consent-1")
    assert shown == "consent-1 is withdrawn; see `consentry trail impact consent-1`.\n"
    assert fake_ledger.calls[0][2] == {"consent_id": "consent-1", "pseudonym": None}
    monkeypatch.setattr("sys.stdin", io.StringIO("P\n"))
    assert json.loads(ask(capsys, "consents", "withdraw", "--json")) == {"withdrawn": ["consent-1"]}
    assert {"consent_id": None, "pseudonym": "P"} in [call[2] for call in fake_ledger.calls if len(call) > 2]


def test_one_record_is_shown_by_its_fields(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_ledger.answers |= {
        "consents.get": (consent(1),),
        "datasets.get": version(1),
        "grants.get": grant(1),
    }
    assert "state          given\n" in ask(capsys, "consents", "show", "consent-1")
    assert "transformation  -\n" in ask(capsys, "datasets", "show", "version-1")
    assert json.loads(ask(capsys, "grants", "show", "grant-1", "--json")) == grant(1).to_dict()


def test_rows_are_filtered_into_a_file(
    fake_ledger: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, kept = tmp_path / "rows.csv", tmp_path / "kept.csv"
    file.write_text("pseudonym,age\n007,50\n008,61\n")
    fake_ledger.answers["consents.filter"] = next(read_frames(file)).head(1)
    shown = ask(capsys, "consents", "filter", str(file), str(kept), "--purpose", RESEARCH, "--commercial")
    assert shown == f"1 of 2 rows are in {kept}.\n"
    assert kept.read_text() == "pseudonym,age\n007,50\n"
    assert fake_ledger.calls[0][2] == {
        "purpose": RESEARCH,
        "commercial": True,
        "recipient": None,
        "subject_column": "pseudonym",
        "trail": None,
    }


def test_a_dataset_is_registered_from_a_file(
    fake_ledger: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, more = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    fake_ledger.answers["datasets.register_files"] = version(1)
    options = ("--name", "biopsies", "--category", "diagnosis", "--legal-basis", "GDPR-9-2-a")
    shown = ask(capsys, "datasets", "register", str(file), str(more), *options)
    assert shown == f"{identifier('version', 1)} is version 1 of biopsies with 2 rows.\n"
    (_, (files,), given), _ = fake_ledger.calls
    assert files == [file, more]
    assert (given["categories"], given["legal_bases"], given["duo_terms"]) == (
        ["diagnosis"],
        ["GDPR-9-2-a"],
        (),
    )


def test_grants_are_asked_for_given_moved_and_ended(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_ledger.answers |= {
        "grants.request": SimpleNamespace(request_id="request-1"),
        "grants.grant": grant(1),
        "grants.change": grant(1),
        "grants.revoke": None,
        "grants.suspend": None,
    }
    one = ("--version", "version-1", "--purpose", RESEARCH)
    ask(capsys, "grants", "request", *one, "--duration", "30d")
    ask(capsys, "grants", "grant", "request-1", *one, "--not-after", "2026-02-01T00:00:00Z")
    shown = ask(capsys, "grants", "grant", "request-1", *one, "--duration", "12h", "--restriction", "R")
    assert shown.endswith(f"holds for RiversideMSP from {instant(4)} until {instant(14)}.\n")
    ask(capsys, "grants", "change", "grant-1", "--not-after", "2026-02-01T01:00:00+01:00")
    assert ask(capsys, "grants", "revoke", "grant-1") == "grant-1 is revoked.\n"
    assert ask(capsys, "grants", "suspend", "grant-1") == "grant-1 is suspended.\n"
    calls = [call for call in fake_ledger.calls if call[0] != "close"]
    assert calls[0][2]["duration"] == timedelta(days=30)
    assert calls[1][2]["not_after"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert (calls[2][2]["duration"], calls[2][2]["restrictions"]) == (timedelta(hours=12), ["R"])
    assert calls[3][2]["not_after"] == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_vanished_trainers_session_is_ended(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        fake_ledger, "end_training", lambda name, **said: asked.append({"id": name, **said}), raising=False
    )
    shown = ask(capsys, "training", "end", "session-1", "--state", "failed", "--failure", "PROCESS_LOST")
    assert shown == "session-1 is failed.\n"
    assert asked == [{"id": "session-1", "state": "failed", "failure": "PROCESS_LOST"}]


def decided(fake_ledger: FakeLedger, decision: AccessDecision | None) -> None:
    fake_ledger.answers |= {
        "access.attempt": identifier("attempt", 1),
        "access.wait_for_decision": decision,
        "access.get": AccessState(attempt(1), decision),
    }


def test_a_permitted_attempt_says_until_when(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    decided(fake_ledger, permit(1))
    shown = ask(capsys, "access", "attempt", "version-1", "--purpose", RESEARCH)
    assert shown == (
        f"NorthgateMSP permitted {identifier('attempt', 1)} under {identifier('grant', 1)} "
        f"until {instant(14)}.\n"
    )
    assert ask(capsys, "access", "show", "attempt-1").endswith(f"until {instant(14)}.\n")


def test_a_denied_attempt_ends_with_status_1_and_its_reasons(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    decided(fake_ledger, denial(1, NO_ROLE))
    shown = ask(capsys, "access", "attempt", "version-1", "--purpose", RESEARCH, status=1)
    assert shown == (
        f"Error (ACCESS_DENIED): NorthgateMSP denied {identifier('attempt', 1)}: "
        "the requester's certificate lacks the role researcher\n"
    )
    assert run(["--as", "a/b", "access", "attempt", "version-1", "--purpose", RESEARCH, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["decision"]["outcome"] == "deny"
    assert "Denied: the requester's certificate lacks the role" in ask(capsys, "access", "show", "attempt-1")


def test_an_attempt_can_be_left_open(fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]) -> None:
    decided(fake_ledger, None)
    shown = ask(capsys, "access", "attempt", "version-1", "--purpose", RESEARCH, "--no-wait")
    assert "is on record; see `consentry access show" in shown
    assert "Open: NorthgateMSP has not decided." in ask(capsys, "access", "show", "attempt-1")
    answer = json.loads(ask(capsys, "access", "show", "attempt-1", "--json"))
    assert answer == {"attempt": attempt(1).to_dict(), "decision": None}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LedgerRefused("GRANT_NOT_FOUND", "there is no grant grant-1"), 1),
        (LedgerUnreachable("LEDGER_UNREACHABLE", "the ledger gave no answer; is it up?"), 4),
    ],
)
def test_refusals_and_silence_have_different_statuses(
    fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    fake_ledger.answers["grants.get"] = error
    shown = ask(capsys, "grants", "show", "grant-1", status=status)
    assert shown.startswith("Error (")
    assert shown.count("\n") == 1


@pytest.mark.parametrize("text", ["", "30", "d", "1.5d", "-1d", "30 d", "9999999999d", "30y"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputRejected, match="DURATION_INVALID"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-01", "2026-02-01T00:00:00", "2026-13-01T00:00:00Z"]
)
def test_a_time_without_zone_is_refused(text: str) -> None:
    with pytest.raises(InputRejected, match="TIME_INVALID"):
        parse_time(text)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"a,b\n1,2\n1,2,secret,4\n", b"a,b\n1,2,secret\n", b'a,b\n"secret,1\n'],
)
def test_a_file_that_is_no_table_is_refused_without_repeating_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    with pytest.raises(InputRejected, match="cannot be read as a CSV file in UTF-8") as caught:
        read_consents(file)
    assert caught.value.code == "FILE_UNREADABLE"
    assert "secret" not in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="No such file"):
        read_consents(tmp_path / "missing.csv")
