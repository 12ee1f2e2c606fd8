"""Consents imported in bulk: public record, private entry and index keys all committed.

On the embedded engine among the four organizations of a consortium. Where Fabric's binaries are found, on
real Fabric too, between two organizations and Raft: what other figures of Fabric are for. A consortium there
is eight nodes that check and write everything each; on one machine they share its cores, so its figure is
only shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.results import Measurement
from consentry.consent_import import ImportSummary
from consentry.demo.data import load_hospitals
from consentry.ledger import connect
from consentry.network import bring_up, enroll_user, take_down
from fabric_native import BinariesNotFoundError, find_binaries

COUNT = 5_000
_TODAY = datetime(2026, 11, 21, tzinfo=UTC)


def measure(directory: Path) -> Iterator[Measurement]:
    """Bring networks up in `directory` and import."""
    few, many = _imports(directory / "embedded", "consortium", "embedded")
    yield Measurement("500 consents imported", few.seconds, "s", 2, more_is_better=False)
    yield Measurement("bulk import of consents", many.rate, "/s", 5_000)
    try:
        find_binaries()
    except BinariesNotFoundError as error:
        print(f"bulk import on Fabric: not run; {error}")
        return
    _, many = _imports(directory / "small", "small", "fabric")
    yield Measurement("bulk import of consents, two organizations on Fabric", many.rate, "/s", 2_500)
    _, many = _imports(directory / "consortium", "consortium", "fabric")
    print(f"bulk import of consents, a consortium on Fabric: {many.rate:,.0f}/s (no bar)")


def _imports(directory: Path, preset: str, engine: str) -> tuple[ImportSummary, ImportSummary]:
    """What 500 consents took, and `COUNT` after them."""
    bring_up(directory, preset, engine=engine)
    try:
        steward = enroll_user(directory, "northgate", "steward", ["steward"])
        with connect(directory, steward) as ledger:
            few = ledger.consents.import_frame(_frame(500, 1))
            return few, ledger.consents.import_frame(_frame(COUNT, 2))
    finally:
        take_down(directory)


def _frame(count: int, seed: int) -> pd.DataFrame:
    """Consents of the demo's kinds, each with a pseudonym of its own."""
    frames: list[pd.DataFrame] = []
    rows = 0
    while rows < count:
        made = load_hospitals(seed * 1_000 + len(frames), _TODAY)[0].consents
        frames.append(made)
        rows += len(made)
    return pd.concat(frames, ignore_index=True).iloc[:count]
