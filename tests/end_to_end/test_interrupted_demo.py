"""A demo that somebody breaks off, and the next one in its place."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.installed_command import CONSENTRY, SECONDS, environment, run_consentry

from fabric_native.binaries import VERSIONS


@pytest.mark.timeout(2 * SECONDS)
def test_a_demo_after_an_interrupted_one_works_and_nothing_stays_after_down(tmp_path: Path) -> None:
    directory = tmp_path / "network"
    first = subprocess.Popen(
        [CONSENTRY, "--network", str(directory), "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    _wait_for(directory / "network.json")
    time.sleep(2.0)
    first.send_signal(signal.SIGINT)
    output, _ = first.communicate(timeout=SECONDS)
    assert first.returncode == 130, output[-3000:]
    # Without bubblewrap functions do not come to the data: rows leave, and the demo says so.
    nothing_else = str(_fabric_alone(tmp_path / "programs"))
    output = run_consentry("--network", str(directory), "demo", "--seed", "1", PATH=nothing_else)
    assert "functions are not run here" in output
    assert "so the rows go to the researcher" in output
    run_consentry("--network", str(directory), "network", "down")
    assert not _processes_of(directory)


def _fabric_alone(directory: Path) -> Path:
    """A directory for PATH with Fabric's binaries, as far as there are any, and nothing else."""
    directory.mkdir()
    for name in VERSIONS:
        if found := shutil.which(name):
            (directory / name).symlink_to(found)
    return directory


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def _processes_of(directory: Path) -> list[str]:
    """Command lines of processes that name the directory."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line:
            lines.append(line)
    return lines
