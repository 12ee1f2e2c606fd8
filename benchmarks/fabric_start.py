"""A consortium of real Fabric from nothing: `consentry network up --engine fabric` up to the first commit.

Four SmartBFT ordering nodes, four peers, four CAs and four chaincode services. Run where Fabric's binaries
are found; alone: ``python -m benchmarks.fabric_start``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import process_seconds
from benchmarks.results import Measurement
from fabric_native import BinariesNotFoundError, NativeNetwork, find_binaries

_COMMITTED = "the ledger's first transaction is committed"


def measure(directory: Path) -> Iterator[Measurement]:
    """Start one network; nothing where Fabric's binaries are not there, with a line that says so."""
    try:
        find_binaries()
    except BinariesNotFoundError as error:
        print(f"real Fabric, up to the first commit: not run; {error}")
        return
    network_directory = directory / "network"
    before = _children_seconds()
    try:
        seconds = _started(network_directory)
        _print_cpu(network_directory, _children_seconds() - before)
    finally:
        if (network_directory / "network.json").exists():
            NativeNetwork.load(network_directory).destroy()
    yield Measurement("real Fabric with its CAs, up to the first commit", seconds, "s", 15, False)


def _started(directory: Path) -> float:
    """Start a network as a user does; seconds from the command to the first commit, each step printed."""
    command = [sys.executable, "-m", "consentry", "--network", str(directory)]
    began, committed = time.perf_counter(), 0.0
    with subprocess.Popen(  # noqa: S603 - this very program
        [*command, "network", "up", "--engine", "fabric"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            passed = time.perf_counter() - began
            print(f"{passed:6.2f} s  {line}", end="")
            if line.strip() == _COMMITTED:
                committed = passed
    if process.returncode or not committed:
        raise RuntimeError(f"the network did not start: exit status {process.returncode}")
    return committed


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _print_cpu(directory: Path, command: float) -> None:
    """What it cost: the command, and each kind of process up to now."""
    spent = {"command": command}
    for node in NativeNetwork.load(directory).status():
        if node.pid is not None:
            kind = node.name.partition("-")[0]
            spent[kind] = spent.get(kind, 0.0) + process_seconds(node.pid)
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
    print(f"CPU {sum(spent.values()):.1f} s: {parts}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place)):
            verdict = "reached" if measurement.holds else "missed"
            print(f"{measurement.what}: {measurement.measured:.2f} {measurement.unit}; {verdict}")
