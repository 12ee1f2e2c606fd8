"""Questions to the trail and reports on the command line, answered from an index that is there."""

import io
import json
from pathlib import Path

import pytest
from support.story import PROFILE, SUBJECT, identifier, tell

from consentry.cli.main import run
from consentry.index import IndexFollower, open_database
from consentry.manifests import ManifestRow
from consentry.subjects import SubjectRegister
from consentry.verification import memory_source

STORY = tell()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("network")
    (directory / "network.json").write_text(PROFILE)
    engine = open_database(f"sqlite:///{directory / 'index.sqlite'}")
    IndexFollower(engine, "consentry", STORY.chain.anchor).follow(memory_source("peer", STORY.chain.blocks))
    engine.dispose()
    return directory


@pytest.fixture
def ask(network: Path, capsys: pytest.CaptureFixture[str]) -> object:
    def question(*arguments: str) -> dict[str, object]:
        assert run(["--network", str(network), "--local", *arguments, "--json"]) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    return question


def items(answer: dict[str, object]) -> list[dict[str, object]]:
    found = answer["items"]
    assert isinstance(found, list)
    return found


def test_by_dataset_by_actor_and_by_organization(ask) -> None:  # type: ignore[no-untyped-def]
    for name in ("biopsies", identifier("version", 1), identifier("dataset", 1)):
        assert [item["outcome"] for item in items(ask("trail", "dataset", name))] == [
            "permit",
            "deny",
            "open",
        ]
    (denied,) = items(ask("trail", "dataset", "biopsies", "--outcome", "deny"))
    assert denied["reasons"] == [
        {"code": "ROLE_MISSING", "words": "the requester's certificate lacks the role researcher"}
    ]
    assert [item["requester"] for item in items(ask("trail", "actor", "clerk-1"))] == ["clerk-1"]
    assert len(items(ask("trail", "actor", "RiversideMSP"))) == 3


def test_accesses_by_anything_that_the_trail_knows(ask) -> None:  # type: ignore[no-untyped-def]
    asked = {
        ("--grantee", "RiversideMSP"): 3,
        ("--model", identifier("modelversion", 1)): 1,
        ("--session", identifier("session", 1)): 1,
        ("--grant", identifier("grant", 1)): 1,
        ("--reason", "ROLE_MISSING"): 1,
        ("--custodian", "NorthgateMSP", "--from-block", "7"): 2,
        ("--dataset", "biopsies", "--to-block", "6"): 1,
    }
    for options, count in asked.items():
        assert len(items(ask("trail", "accesses", *options))) == count
    attempts = items(ask("trail", "transactions", "--function", "access:attempt"))
    since = ask(
        "trail", "transactions", "--function", "access:attempt", "--since", attempts[1]["proposal_time"]
    )
    assert items(since) == attempts[1:]
    block = str(attempts[2]["block"])
    assert items(ask("trail", "transactions", "--from-block", block, "--to-block", block)) == attempts[2:]


def test_accesses_to_a_row_are_those_to_every_version_that_holds_it(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held, alone = (f"hmac-sha256:{digit * 64}" for digit in "12")
    with SubjectRegister(network / "custody" / "northgate" / "subjects.sqlite") as register:
        subject = register.ensure(["P-0042"])["P-0042"].commitment
        dataset = register.manifests.ensure_dataset("biopsies", identifier("dataset", 1))
        rows = [ManifestRow(digest, subject, identifier("consent", 1)) for digest in (held, alone)]
        for number, kept in ((1, rows[:1]), (2, rows)):
            version_id = identifier("version", number)
            register.manifests.add_version(version_id, dataset.dataset_id, number, kept)
            register.manifests.mark_registered(version_id)
    command = ["--network", str(network), "--as", "northgate/dpo", "--local", "trail", "row"]
    for position, count in ((0, 3), (1, 0)):
        assert run([*command, identifier("version", 2), str(position), "--json"]) == 0
        assert len(items(json.loads(capsys.readouterr().out))) == count
    assert run([*command, identifier("version", 2), "0"]) == 0
    assert f"rests on {identifier('consent', 1)} and is in 2 versions" in capsys.readouterr().out
    assert run([*command, identifier("version", 2), "2"]) == 1
    assert "ROW_UNKNOWN" in capsys.readouterr().err


def test_pages_are_asked_for_by_cursor(ask) -> None:  # type: ignore[no-untyped-def]
    first = ask("trail", "dataset", "biopsies", "--page-size", "2")
    rest = ask("trail", "dataset", "biopsies", "--page-size", "2", "--after", str(first["next"]))
    assert (len(items(first)), len(items(rest)), rest["next"]) == (2, 1, None)


def test_impact_and_lineage_give_ids_and_records(ask) -> None:  # type: ignore[no-untyped-def]
    impact = ask("trail", "impact", identifier("consent", 1))
    assert (impact["state"], impact["basis"]) == ("withdrawn", "custodian and time")
    assert impact["model_versions"] == [identifier("modelversion", 1)]
    assert impact["grants"] == [identifier("grant", 1)]
    assert impact["complete_through"] == len(STORY.chain.blocks) - 1
    lineage = ask("trail", "model", identifier("modelversion", 1))
    assert lineage["versions"] == [identifier("version", 1)]
    assert lineage["model"]["name"] == "risk"


def test_transactions_history_findings_and_status(ask) -> None:  # type: ignore[no-untyped-def]
    assert items(ask("trail", "transactions", "--invalid")) == []
    functions = [item["function"] for item in items(ask("trail", "transactions", "--creator", "service-1"))]
    assert functions == ["access:decide", "access:decide"]
    history = items(ask("trail", "history", "consent", identifier("consent", 1)))
    assert [item["state"] for item in history] == ["given", "withdrawn"]
    assert items(ask("trail", "findings")) == []
    open_ones = items(ask("trail", "open", "--custodian", "NorthgateMSP"))
    assert {item["outcome"] for item in open_ones} == {"open"}
    assert items(ask("trail", "open", "--at", "2000-01-01T00:00:00.000Z")) == []
    assert ask("trail", "status")["anchored"] is True


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("trail", "dataset", "biopsies"), "deny"),
        (("trail", "actor", "clerk-1"), "clerk-1"),
        (("trail", "model", identifier("modelversion", 1)), "is a version of risk."),
        (("trail", "impact", identifier("consent", 1)), "is withdrawn; complete up to block"),
        (("trail", "transactions"), "consents:withdraw"),
        (("trail", "history", "consent", identifier("consent", 1)), "withdrawn"),
        (("trail", "findings"), "None."),
        (("trail", "status"), "anchored."),
        (("training", "list"), identifier("session", 1)),
        (("training", "show", identifier("session", 1)), "loss=0.5"),
        (("models", "list"), "risk"),
        (("datasets", "list"), "biopsies"),
        (("grants", "list", "--all"), identifier("grant", 1)),
    ],
)
def test_people_get_tables(
    network: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    assert run(["--network", str(network), "--local", *arguments]) == 0
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("trail", "impact", "consent-unknown"), "CONSENT_NOT_INDEXED"),
        (("trail", "model", "modelversion-unknown"), "MODEL_VERSION_NOT_INDEXED"),
        (("training", "show", "session-unknown"), "SESSION_NOT_FOUND"),
        (("trail", "dataset", "biopsies", "--page-size", "0"), "PAGE_INVALID"),
        (("report", "subject-access"), "SUBJECT_MISSING"),
        (("consents", "withdraw"), "SUBJECT_MISSING"),
        (("report", "subject-access", "--subject", "hmac-sha256:0"), "SUBJECT_NOT_INDEXED"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(
    network: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["--network", str(network), "--local", *arguments]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"Error ({code}): ")
    assert shown.count("\n") == 1


def test_an_empty_index_says_how_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "network.json").write_text(PROFILE)
    assert run(["--network", str(tmp_path), "trail", "status"]) == 1
    assert capsys.readouterr().err == (
        "Error (INDEX_EMPTY): The index is empty; fill it with `consentry index`.\n"
    )


@pytest.mark.parametrize(
    ("form", "files"),
    [("pdf", {"report"}), ("csv", {"statements.csv", "accesses.csv"}), ("json", {"report"})],
)
def test_a_report_comes_in_every_format(
    network: Path, tmp_path: Path, form: str, files: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "--network",
        str(network),
        "--local",
        "report",
        "subject-access",
        "--subject",
        SUBJECT,
        "--format",
        form,
    ]
    target = tmp_path / "report"
    assert run([*command, "--output", str(target)]) == 0
    written = set(target.iterdir()) if target.is_dir() else {target}
    assert files <= {path.name for path in written}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    capsys.readouterr()
    assert run(command) == (0 if form == "json" else 1)
    assert ("OUTPUT_MISSING" in capsys.readouterr().err) == (form != "json")


def test_a_report_is_written_for_its_owner_only(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "reports" / "report.html"
    command = ["--network", str(network), "--local", "report", "subject-access", "--subject", SUBJECT]
    assert run([*command, "--output", str(target)]) == 0
    assert capsys.readouterr().out == (
        f"The report is in {target}; it is complete up to block {len(STORY.chain.blocks) - 1}.\n"
    )
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert run([*command, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"][1] == {"label": "Subject", "value": SUBJECT}
    assert run([*command, "--output", str(network / "network.json" / "x")]) == 1
    assert "FILE_NOT_WRITABLE" in capsys.readouterr().err


def test_a_pseudonym_is_resolved_at_its_custodian_only_and_never_repeated(
    network: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("P-0042\n"))
    command = ["report", "subject-access"]
    assert run(["--network", str(network), "--as", "riverside/dpo", *command]) == 1
    shown = capsys.readouterr().err
    assert shown == (
        "Error (SUBJECT_UNKNOWN): The register of riverside has no subject of that pseudonym; "
        "only the custodian of the data can resolve one.\n"
    )


def test_a_report_in_json_is_verified_by_whoever_has_the_blocks(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    command = ["--network", str(network), "--local"]
    made = ["report", "dataset-access-log", "biopsies", "--format", "json", "--output", str(report)]
    assert run([*command, *made]) == 0
    capsys.readouterr()
    assert run([*command, "verify", str(report)]) == 3
    assert "Consistent, not proved" in capsys.readouterr().out
    assert run([*command, "--as", "northgate/dpo", "verify", str(report), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_proved"] is True
    report.write_text(report.read_text().replace("clerk-1", "clerk-2"))
    assert run([*command, "--as", "northgate/dpo", "verify", str(report)]) == 1
    assert "REPORT_REFUSED" in capsys.readouterr().err
    assert run([*command, *made[:3], "--proofs", "--output", str(report)]) == 1
    assert "PROOFS_NEED_JSON" in capsys.readouterr().err
