"""Values of a report: known, or unavailable for a stated reason; never blank."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints


@dataclass(frozen=True)
class Unavailable:
    """A value that the ledger does not have.

    Attributes:
        reason: why, as a clause without a full stop.
    """

    reason: str

    def __str__(self) -> str:
        return f"unavailable: {self.reason}"


Value = str | tuple[str, ...] | Unavailable
"""One text, several texts, or why there is none."""


@dataclass(frozen=True)
class ReportField:
    """One statement of a report.

    Attributes:
        key: stable name.
        label: what it says, for readers.
        article: the law that asks for it.
        value: the statement.
    """

    key: str
    label: str
    article: str
    value: Value


@dataclass(frozen=True)
class Column:
    """One column of a table in a report: stable name, label, and the law that asks for it."""

    key: str
    label: str
    article: str


@dataclass(frozen=True)
class Reported:
    """Annotation of a dataclass field that is a column: what readers see, and the law that asks for it."""

    label: str
    article: str


@cache
def columns(row_type: Any) -> tuple[Column, ...]:
    """The columns of a row type, in the order of its fields."""
    hints = get_type_hints(row_type, include_extras=True)
    notes: dict[str, Reported] = {name: hint.__metadata__[0] for name, hint in hints.items()}
    return tuple(Column(name, note.label, note.article) for name, note in notes.items())


def cells(row: Any) -> tuple[Value, ...]:
    """A row's values in the order of its columns."""
    return tuple([getattr(row, name) for name in _names(row.__class__)])


@cache
def _names(row_type: Any) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(row_type))


def lines(value: Value) -> tuple[str, ...]:
    """A value as one or more lines of text, none of them empty.

    Raises:
        ValueError: the value is blank: whoever composed the report left a reason out.
    """
    texts = value if isinstance(value, tuple) else (str(value),)
    if not texts or not all(texts):
        raise ValueError("a report's value is blank; give it as unavailable, with the reason")
    return texts


def plain(value: Value) -> object:
    """A value for JSON: text, list of texts, or ``{"unavailable": reason}``."""
    # A report has tens of thousands of these.
    if type(value) is str and value:
        return value
    if isinstance(value, Unavailable):
        return {"unavailable": value.reason}
    return list(lines(value)) if isinstance(value, tuple) else lines(value)[0]
