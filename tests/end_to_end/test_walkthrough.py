"""What `docs/walkthrough.md` tells a newcomer to type prints what it shows."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.engines import engine_parameters

from consentry.cli.main import run

GUIDE = Path(__file__).parents[2] / "docs" / "walkthrough.md"
_IDENTIFIER = re.compile(r"\b(?:[a-z]+-)?[0-9a-f]{32,64}\b")


@dataclass(frozen=True)
class Step:
    """A command as typed, and the lines that are shown below it."""

    command: str
    shown: tuple[str, ...]


def files() -> dict[str, str]:
    """The files that the guide has its reader write, by name."""
    found = re.findall(r"^```(?:csv|text) (\S+)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


def steps() -> list[Step]:
    blocks = re.findall(r"^```console\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    typed = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.MULTILINE)
    return [
        Step(command, tuple(shown.splitlines()))
        for command, shown in typed
        if command.startswith("consentry ")
    ]


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The guide's files, in the directory that its reader is in."""
    for name, content in files().items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    # A terminal wide enough that no line of a table is folded.
    for name, value in {"CONSENTRY_NETWORK": "trial", "COLUMNS": "200", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    try:
        yield
    finally:
        run(["network", "down"])


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("engine", engine_parameters())
def test_the_walkthrough_prints_what_it_shows(
    engine: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own: dict[str, str] = {}
    for step in steps():
        command, _, source = step.command.partition(" < ")
        command = command.replace("network up --preset", f"network up --engine {engine} --preset")
        monkeypatch.setattr("sys.stdin", io.StringIO(Path(source).read_text() if source else ""))
        ended = run(shlex.split(_IDENTIFIER.sub(lambda match: own.get(match[0], match[0]), command))[1:])
        printed = [line.rstrip() for line in "".join(capsys.readouterr()).splitlines()]
        shapes = [shape(line) for line in printed]
        missing = [line for line in step.shown if line != "…" and shape(line) not in shapes]
        assert missing == [], f"{step.command}\n" + "\n".join(printed)
        assert (ended == 0) != step.shown[-1].startswith("Error "), step.command
        for line in step.shown:
            if shapes.count(shape(line)) == 1:
                theirs = printed[shapes.index(shape(line))]
                own.update(zip(_IDENTIFIER.findall(line), _IDENTIFIER.findall(theirs), strict=True))


def test_the_walkthrough_has_files_and_commands() -> None:
    assert sorted(files()) == ["consents.csv", "pseudonym.txt", "rows.csv"]
    assert len(steps()) > 20


def shape(line: str) -> str:
    """A line without what differs from run to run: ids, times, rates, numbers of blocks, widths of tables."""
    line = _IDENTIFIER.sub("#", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "T", line)
    line = re.sub(r"\d+\.\d+ s \(\d+/s\)|\d+\.\d+ s\b", "0 s", line)
    line = re.sub(r"\b\d{2,}\b", "0", line)
    return re.sub(r" {2,}", "  ", line.rstrip())
