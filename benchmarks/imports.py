"""How long a program waits for the client's imports, each in a fresh interpreter.

Run it alone: ``python -m benchmarks.imports``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.results import Measurement

ROUNDS = 7
_STATEMENTS = ("import consentry", "from consentry import Wallet, connect")
_PROGRAM = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def measure(directory: Path) -> Iterator[Measurement]:
    """Time each statement; the first round, which reads the disk, is left out."""
    del directory
    for statement in _STATEMENTS:
        seconds = [_seconds(statement) for _ in range(ROUNDS + 1)][1:]
        yield Measurement(statement, median(seconds), "s", 0.3, more_is_better=False)


def _seconds(statement: str) -> float:
    command = [sys.executable, "-c", _PROGRAM.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603


if __name__ == "__main__":
    for measurement in measure(Path()):
        reached = "reached" if measurement.holds else "missed"
        print(f"{measurement.what}: {measurement.measured:.3f} {measurement.unit}; {reached}")
