"""Consents imported in bulk: public record, private entry and index keys all committed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.results import Measurement
from consentry.demo.data import load_hospitals
from consentry.ledger import connect
from consentry.network import bring_up, enroll_user, take_down

COUNT = 5_000
_TODAY = datetime(2026, 11, 21, tzinfo=UTC)


def measure(directory: Path) -> Iterator[Measurement]:
    """Bring a consortium up in `directory` and import."""
    bring_up(directory, "consortium")
    try:
        steward = enroll_user(directory, "northgate", "steward", ["steward"])
        with connect(directory, steward) as ledger:
            few, many = _frame(500, 1), _frame(COUNT, 2)
            yield Measurement(
                "500 consents imported", ledger.consents.import_frame(few).seconds, "s", 2, False
            )
            summary = ledger.consents.import_frame(many)
            yield Measurement("bulk import of consents", summary.rate, "/s", 5_000)
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
