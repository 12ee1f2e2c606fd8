"""Run every benchmark in a temporary directory and print the bars beside what was measured."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks import (
    bulk_import,
    chaincode_runtimes,
    client_submit,
    consent_filter,
    decisions,
    embedded,
    engines,
    fabric_start,
    gate,
    imports,
    ledger_size,
    proofs,
    runtimes_on_engines,
    trail_reports,
    verification,
    web,
)
from benchmarks.results import Measurement, show


def main() -> int:
    console = Console()
    found: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        modules = {
            "embedded": embedded,
            "engines": engines,
            "fabric-start": fabric_start,
            "bulk": bulk_import,
            "decisions": decisions,
            "gate": gate,
            "size": ledger_size,
            "clients": client_submit,
            "runtimes": chaincode_runtimes,
            "runtimes-on-engines": runtimes_on_engines,
            "filter": consent_filter,
            "imports": imports,
            "reports": trail_reports,
            "proofs": proofs,
            "verification": verification,
            "web": web,
        }
        for name, module in modules.items():
            for measurement in module.measure(Path(place) / name):
                console.print(f"{measurement.what}: {measurement.measured:,.2f} {measurement.unit}")
                found.append(measurement)
    show(found, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
