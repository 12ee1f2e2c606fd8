"""Runs the installed command line, shown as a newcomer would type it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consentry.demo.story import Story

_SECONDS = 60


@dataclass(frozen=True)
class CommandLine:
    """`consentry` on the demo's network."""

    story: Story
    directory: Path

    def run(self, who: str, *arguments: str, status: int = 0, typed: str = "") -> str:
        """Run a command as `organization/label` with `typed` as its input, expect an exit status.

        The command line is printed, the input is not. Returns what the command printed.
        """
        shown = " ".join(arguments)
        self.story.say(f"[cyan]$ consentry --as {who} {shown}[/]")
        done = subprocess.run(  # noqa: S603 - our own command line, arguments as a list
            [sys.executable, "-m", "consentry", "--network", str(self.directory), "--as", who, *arguments],
            input=typed,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != status:
            self.story.expect(
                False,
                f"exit status {status} of consentry {shown}",
                f"{done.returncode}: {done.stderr.strip()}",
            )
        return done.stdout

    def json(self, who: str, *arguments: str, status: int = 0) -> Any:
        """Run a command with `--json` and return what it answered."""
        return json.loads(self.run(who, *arguments, "--json", status=status))
