"""Values of a report: known, or unavailable for a stated reason; never blank."""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any


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


def reported(label: str, article: str) -> Any:
    """A dataclass field that is a column of a report.

    Args:
        label: what readers see.
        article: the law that asks for it.
    """
    return field(default=MISSING, metadata={"label": label, "article": article})


def columns(row_type: Any) -> tuple[Column, ...]:
    """The columns of a row type, in the order of its fields."""
    return tuple(_column(entry) for entry in fields(row_type))


def cells(row: Any) -> tuple[Value, ...]:
    """A row's values in the order of its columns."""
    return tuple(getattr(row, entry.name) for entry in fields(row))


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
    if isinstance(value, Unavailable):
        return {"unavailable": value.reason}
    return list(lines(value)) if isinstance(value, tuple) else lines(value)[0]


def _column(entry: "Field[Any]") -> Column:
    return Column(entry.name, entry.metadata["label"], entry.metadata["article"])
