"""Answers for people as tables and for programs as JSON; both to standard output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any

import typer

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def examples(*lines: str) -> str:
    """The end of a command's help: what one would type."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def plain(value: Any) -> Any:
    """A record or typed row as JSON-ready values."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def show_json(value: Any) -> None:
    """Print a value as indented JSON."""
    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, default=str))


def show_record(value: Any, as_json: bool) -> None:
    """Print one record: its fields, one a line."""
    document = plain(value)
    if as_json:
        show_json(document)
        return
    width = max((len(name) for name in document), default=0)
    for name, item in document.items():
        typer.echo(f"{name:<{width}}  {_text(item)}")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their columns' names; columns keep their full width when nobody watches."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_text(cell)) for cell in row))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=400).print(table)


def set_quiet(quiet: bool) -> None:
    """Whether this run prints answers and errors only (--quiet)."""
    _quiet.set(quiet)


def is_quiet() -> bool:
    """Whether this run prints answers and errors only (--quiet)."""
    return _quiet.get()


def say(sentence: str) -> None:
    """Print one plain sentence, unless --quiet."""
    if not is_quiet():
        typer.echo(sentence)


def note(sentence: str) -> None:
    """Print one sentence to standard error, where it does not disturb an answer; unless --quiet."""
    if not is_quiet():
        typer.echo(sentence, err=True)


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) or "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_text(item)}" for name, item in value.items()) or "-"
    return str(value)
