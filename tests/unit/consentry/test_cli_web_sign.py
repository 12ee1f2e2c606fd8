"""`consentry web sign`: what it is given, what it shows, when it signs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.web_actions import ENGLISH, action, call
from typer.testing import CliRunner

from consentry.cli.main import app
from consentry.cli.web_sign import show
from consentry.errors import ConsentryError
from consentry.web.actions import described


def refusal(*arguments: str, text: str | None = None) -> str:
    result = CliRunner().invoke(app, ["--as", "northgate/dpo", "web", "sign", *arguments], input=text)
    assert isinstance(result.exception, ConsentryError), result.output
    return result.exception.code


def test_either_a_code_or_a_file_is_given(tmp_path: Path) -> None:
    assert refusal() == "OPTIONS_INCOMPLETE"
    assert refusal("ABCD", "--file", str(tmp_path / "x")) == "OPTIONS_INCOMPLETE"


def test_languages_are_those_of_the_catalogue() -> None:
    assert refusal("ABCD", "--language", "fr") == "LANGUAGE_UNKNOWN"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1", "ftp://x"])
def test_an_address_comes_with_its_roots(tmp_path: Path, url: str) -> None:
    arguments = ["ABCD", "--roots", str(tmp_path / "roots.pem")]
    assert refusal(*arguments, *(["--url", url] if url else [])) == "OPTIONS_INCOMPLETE"
    assert refusal(*arguments, "--url", "https://127.0.0.1:1") == "ROOTS_UNREADABLE"


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refusal("--file", str(tmp_path / "missing.json")) == "FILE_UNREADABLE"
    assert refusal("--file", "-", text="nothing") == "FILE_INVALID"


def test_words_and_digest_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    offered = action(call("grants:revoke"))
    show(described(offered, ENGLISH), to_errors=False)
    shown = capsys.readouterr().out
    assert "Revoke a grant" in shown
    assert offered.digest.removeprefix("sha256:") in shown.replace(" ", "")


def test_the_signer_needs_nothing_of_the_server() -> None:
    program = (
        "import sys\n"
        "for name in ('fastapi', 'starlette', 'uvicorn', 'sqlalchemy', 'pandas'): sys.modules[name] = None\n"
        "import consentry.web.signing.files, consentry.web.signing.signer, consentry.cli.web_sign\n"
        "import consentry.web.texts, consentry.web.actions\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
