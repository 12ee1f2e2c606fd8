"""How a run ends: exit status and one sentence on standard error."""

from pathlib import Path

import pytest

from consentry.cli.errors import lines_of
from consentry.cli.main import run
from consentry.errors import FrameRejected, RowProblem

NO_IDENTITY = (
    "Error (IDENTITY_MISSING): say who acts: ORGANIZATION/LABEL, e.g. northgate/steward, "
    "by --as or CONSENTRY_AS\n"
)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A directory with a network's profile; nothing listens behind it."""
    (tmp_path / "network.json").write_text(
        """{"version": 1, "engine": "embedded", "channel": "consentry", "chaincode": "consentry",
        "organizations": {"NorthgateMSP": {"name": "northgate", "kind": "hospital",
        "peers": [{"endpoint": "127.0.0.1:1", "tls_roots": "roots.pem", "server_name": "localhost"}]}},
        "orderers": []}"""
    )
    return tmp_path


def test_a_directory_without_a_network_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--network", str(tmp_path), "--as", "northgate/steward", "trail", "status"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        f"Error (NETWORK_MISSING): {tmp_path} has no network.json; "
        "start a network with `consentry network up`, or name another directory with --network.\n"
    )


@pytest.mark.parametrize("who", ["", "northgate", "northgate/", "/steward"])
def test_a_command_that_acts_needs_to_know_who(
    network: Path, capsys: pytest.CaptureFixture[str], who: str
) -> None:
    arguments = ["--network", str(network), *(["--as", who] if who else [])]
    assert run([*arguments, "grants", "show", "grant-1"]) == 1
    assert capsys.readouterr().err == NO_IDENTITY


def test_an_unknown_identity_is_refused_with_those_that_there_are(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--network", str(network), "--as", "northgate/nobody", "grants", "show", "grant-1"]) == 1
    assert "has no identity 'nobody'; it has: none" in capsys.readouterr().err
    assert run(["--network", str(network), "--as", "elsewhere/x", "grants", "show", "grant-1"]) == 1
    assert "organization 'elsewhere' is not in network.json" in capsys.readouterr().err


def test_faults_of_a_file_stand_on_lines_of_their_own() -> None:
    problems = [RowProblem(0, "method", "FIELD_INVALID", "got nothing"), RowProblem(4, "language", "X", "no")]
    assert list(lines_of(FrameRejected(problems))) == [
        "Error (FRAME_INVALID): 2 rows are faulty and nothing was recorded; "
        "the first row below the header is row 1:",
        "  row 1, method: got nothing",
        "  row 5, language: no",
    ]
    assert next(lines_of(FrameRejected(problems[:1]))).startswith("Error (FRAME_INVALID): 1 row is faulty")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["verify", "--nonsense"], ["grants", "show"], ["access", "attempt", "v"]]
)
def test_wrong_use_ends_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "Usage:" in capsys.readouterr().err


def test_the_environment_names_network_and_identity(
    network: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSENTRY_NETWORK", str(network))
    monkeypatch.setenv("CONSENTRY_AS", "northgate/nobody")
    assert run(["models", "show", "modelversion-1"]) == 1
    assert "IDENTITY_NOT_FOUND" in capsys.readouterr().err


def test_help_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "Exit status: 0 done, 1 refused or failed, 2 wrong use," in capsys.readouterr().out
