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
_STATEMENT = "import consentry"
_ALL_TO_CONNECT = "from consentry import Wallet, connect"
_PROGRAM = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def measure(directory: Path) -> Iterator[Measurement]:
    """Time the imports; the bar is for the first, which loads what is used once it is used."""
    del directory
    print(f"{_ALL_TO_CONNECT}: {_median(_ALL_TO_CONNECT):.2f} s (no bar)")
    yield Measurement(_STATEMENT, _median(_STATEMENT), "s", 0.3, more_is_better=False)


def _median(statement: str) -> float:
    # The first round reads the disk.
    return median([_seconds(statement) for _ in range(ROUNDS + 1)][1:])


def _seconds(statement: str) -> float:
    command = [sys.executable, "-c", _PROGRAM.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603


if __name__ == "__main__":
    for measurement in measure(Path()):
        reached = "reached" if measurement.holds else "missed"
        print(f"{measurement.what}: {measurement.measured:.3f} {measurement.unit}; {reached}")
