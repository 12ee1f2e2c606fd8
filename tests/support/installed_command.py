"""The installed `consentry` command, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CONSENTRY = str(Path(sys.executable).with_name("consentry"))
SECONDS = 400


@dataclass(frozen=True)
class DemoRun:
    """Where the demo ran, what it printed, how it ended, and on which engine."""

    directory: Path
    output: str
    status: int
    engine: str

    def consentry(self, *arguments: str, status: int = 0) -> str:
        """Run the installed command on the demo's network and return what it printed."""
        return run_consentry("--network", str(self.directory), *arguments, status=status)


def run_consentry(*arguments: str, status: int = 0, **variables: str) -> str:
    """Run the installed `consentry` command and expect an exit status; `variables` are its environment's."""
    done = subprocess.run(
        [CONSENTRY, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**environment(), **variables},
    )
    assert done.returncode == status, f"exit {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def environment() -> dict[str, str]:
    """A terminal wide enough that no line of a table is folded."""
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
