"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.installed_command import CONSENTRY, SECONDS, DemoRun, environment

README = Path(__file__).parents[2] / "README.md"
MAKEFILE = README.with_name("Makefile")


def blocks(language: str) -> list[str]:
    """Fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def beside_the_demo(demo_run: DemoRun, tmp_path: Path) -> Path:
    """A directory in which `.consentry/demo` is the network that the demo left running."""
    (tmp_path / ".consentry").mkdir()
    (tmp_path / ".consentry" / "demo").symlink_to(demo_run.directory)
    return tmp_path


def test_the_first_two_commands_are_targets_of_the_makefile() -> None:
    commands = re.findall(r"^make (\w+)", blocks("sh")[0], re.MULTILINE)
    assert commands == ["demo", "test"]
    assert all(re.search(rf"^{name}:.*##", MAKEFILE.read_text(), re.MULTILINE) for name in commands)


def test_the_demo_prints_what_the_readme_shows(demo_run: DemoRun) -> None:
    printed = {shape(line) for line in demo_run.output.splitlines()}
    shown = [line for line in blocks("text demo")[0].splitlines() if line.strip() != "…"]
    assert len(shown) > 20
    if demo_run.engine != "embedded":
        # What starts is told otherwise; the story is the same.
        shown = shown[next(index for index, line in enumerate(shown) if line.startswith("1. ")) :]
    assert [line for line in shown if shape(line) not in printed] == []


@pytest.mark.parametrize("index", [1, 2])
def test_the_commands_shown_work(beside_the_demo: Path, index: int) -> None:
    commands = [line for line in blocks("sh")[index].splitlines() if line.startswith("consentry ")]
    assert len(commands) >= 3
    for command in commands:
        words = shlex.split(command, comments=True)
        done = run(beside_the_demo, CONSENTRY, *words[1:])
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_python_shown_works(beside_the_demo: Path) -> None:
    done = run(beside_the_demo, sys.executable, "-c", blocks("python")[0])
    assert done.returncode == 0, done.stderr
    assert "does not cover purpose TREAT" in done.stdout


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env={**environment(), "PATH": f"{Path(CONSENTRY).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def shape(line: str) -> str:
    """A line without what differs from run to run: ids, digests, times, counts."""
    line = re.sub(r" ─+$", "", line.rstrip())
    line = re.sub(r"\b[0-9a-f]{16,}\b", "#", line)
    return re.sub(r"[0-9][0-9.,:TZ-]*", "0", line)
