"""systemd units, started without systemd: their commands with their environment."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def read_unit(path: Path) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a unit, as systemd reads quotes, per cent and dollar signs."""
    command: list[str] = []
    environment: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        words = [word.replace("%%", "%") for word in shlex.split(value)] if key in _QUOTED else []
        if key == "ExecStart":
            command = [word.replace("$$", "$") for word in words]
        elif key == "Environment":
            environment |= dict(word.split("=", 1) for word in words)
    return command, environment


def unit_faults(analyze: str, units: Sequence[Path]) -> str:
    """What systemd has to say against units; nothing of those that it takes as they are."""
    command = [analyze, "verify", "--man=no", *map(str, units)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr if done.returncode or done.stderr else ""


@contextmanager
def running_units(units: Sequence[tuple[Path, Sequence[str]]], logs: Path) -> Iterator[None]:
    """Have these units' processes running, each behind the words that begin its command."""
    processes = []
    try:
        for path, before in units:
            command, environment = read_unit(path)
            with (logs / f"{path.name}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(
                        [*before, *command],
                        env={**_plain_environment(), **environment},
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


_QUOTED = ("ExecStart", "Environment")


def _plain_environment() -> dict[str, str]:
    """About what systemd gives a service."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
