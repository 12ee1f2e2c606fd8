"""One demo run that the end-to-end tests share; its network keeps running until they are done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CONSENTRY = str(Path(sys.executable).with_name("consentry"))
SECONDS = 180
SEED = "20261121"


@dataclass(frozen=True)
class DemoRun:
    """Where the demo ran, what it printed, and how it ended."""

    directory: Path
    output: str
    status: int

    def consentry(self, *arguments: str, status: int = 0) -> str:
        """Run the installed command on the demo's network and return what it printed."""
        return run_consentry("--network", str(self.directory), *arguments, status=status)


def run_consentry(*arguments: str, status: int = 0) -> str:
    """Run the installed `consentry` command and expect an exit status."""
    done = subprocess.run(
        [CONSENTRY, *arguments], capture_output=True, text=True, timeout=SECONDS, env=environment()
    )
    assert done.returncode == status, f"exit {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def environment() -> dict[str, str]:
    """A terminal wide enough that no line of a table is folded."""
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    directory = tmp_path_factory.mktemp("demo") / "network"
    done = subprocess.run(
        [CONSENTRY, "demo", "--directory", str(directory), "--seed", SEED],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        env=environment(),
    )
    try:
        yield DemoRun(directory, done.stdout, done.returncode)
    finally:
        subprocess.run(
            [CONSENTRY, "--network", str(directory), "network", "down"], timeout=SECONDS, check=False
        )
