"""What a benchmark reports, and the table that `make bench` prints."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Measurement:
    """One measured figure beside the bar that the design or an issue sets."""

    what: str
    measured: float
    unit: str
    bar: float
    more_is_better: bool = True

    @property
    def holds(self) -> bool:
        """Whether the bar is reached."""
        return self.measured >= self.bar if self.more_is_better else self.measured <= self.bar


def show(measurements: Sequence[Measurement], console: Console) -> None:
    """Print the figures with the machine that they come from: they mean nothing without it."""
    machine = platform.processor() or platform.machine()
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    table = Table(title=f"{machine}, {load}, Python {platform.python_version()}", title_justify="left")
    for column in ("what", "measured", "bar", ""):
        table.add_column(column, justify="right" if column in {"measured", "bar"} else "left")
    for item in measurements:
        sign = "≥" if item.more_is_better else "≤"
        table.add_row(
            item.what,
            f"{item.measured:,.2f} {item.unit}",
            f"{sign} {item.bar:,g} {item.unit}",
            "reached" if item.holds else "missed",
        )
    console.print(table)
