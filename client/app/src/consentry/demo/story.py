"""How the demo tells its steps and what happens when one does not turn out as expected."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from textwrap import dedent

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table


class StepFailedError(Exception):
    """A step did not give its expected outcome.

    Args:
        step: The step's name.
        expected: What should have happened.
        got: What happened.
    """

    def __init__(self, step: str, expected: str, got: str) -> None:
        super().__init__(f"step «{step}»: expected {expected}; got {got}")
        self.step = step


@dataclass
class Story:
    """Prints the steps and keeps what the closing summary shows."""

    console: Console
    current: str = "preparation"
    started: float = field(default_factory=time.monotonic)
    _rows: list[tuple[str, str, str]] = field(default_factory=list)

    @contextmanager
    def step(self, number: int, name: str) -> Iterator[None]:
        """Announce a step; whatever goes wrong inside carries its name."""
        self.current = name
        self.console.print()
        self.console.rule(f"[bold]{number}. {escape(name)}", align="left")
        began = time.monotonic()
        try:
            yield
        except StepFailedError:
            raise
        except Exception as error:
            raise StepFailedError(name, "success", f"{type(error).__name__}: {error}") from error
        self.console.print(f"[dim]   {time.monotonic() - began:.1f} s[/]")

    def say(self, text: str) -> None:
        """Print one plain line."""
        self.console.print(f"   {text}", highlight=False, soft_wrap=True)

    def show_code(self, source: str) -> None:
        """Print program text as it stands in the demo."""
        self.console.print(
            Padding(Syntax(dedent(source), "python", background_color="default"), (0, 0, 0, 3))
        )

    def expect(self, holds: bool, expected: str, got: object) -> None:
        """Print `expected` with a tick when it holds, else end the demo with the step's name."""
        if not holds:
            raise StepFailedError(self.current, expected, str(got))
        self.console.print(f" [green]✓[/] {escape(expected)}", highlight=False, soft_wrap=True)

    def record(self, what: str, how_many: object, how_fast: str = "") -> None:
        """Keep one row for the summary."""
        self._rows.append((what, str(how_many), how_fast))

    def summary(self, files: list[tuple[str, str]]) -> None:
        """Print what was recorded, how many, how fast, and where the files are."""
        table = Table(title="Summary", title_justify="left")
        table.add_column("recorded")
        table.add_column("how many", justify="right")
        table.add_column("how fast")
        for row in self._rows:
            table.add_row(*map(escape, row))
        self.console.print()
        self.console.print(table)
        for what, path in files:
            self.console.print(f"  {escape(what)}: {escape(path)}", highlight=False, soft_wrap=True)
        self.console.print(f"\nDone in {time.monotonic() - self.started:.1f} s.", highlight=False)

    def progress(self) -> Progress:
        """A progress bar that shows how many, out of how many, and since when."""
        return Progress(
            TextColumn("   {task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )
