"""Progress of long work, on standard error and only where somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from consentry.cli.output import is_quiet


class RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """The rate, once it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def transferred(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show how many bytes have come.

    Yields:
        To be called with the bytes that are there and the total, None if nobody knows it.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=is_quiet() or not console.is_terminal
    ) as progress:
        task = progress.add_task(what, total=None)

        def update(done: int, of: int | None) -> None:
            progress.update(task, completed=done, total=of)

        yield update


@contextmanager
def counted(what: str, total: int | None) -> Iterator[Callable[[int, int], None]]:
    """Show how many are done.

    Args:
        what: what is counted.
        total: how many there are; None if nobody knows yet.

    Yields:
        To be called with the number done and the total.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=is_quiet() or not console.is_terminal
    ) as progress:
        task = progress.add_task(what, total=total)

        def update(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of or None)

        yield update
