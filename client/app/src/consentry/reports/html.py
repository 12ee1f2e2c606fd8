"""A report as one HTML file: printable, readable by screen readers, nothing fetched from anywhere."""

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from consentry.reports.result import (
    AccessRow,
    ConsentRow,
    DatasetRow,
    ModelVersionRow,
    SessionRow,
    SubjectAccessReport,
)
from consentry.reports.values import Column, Unavailable, cells, columns, lines


@dataclass(frozen=True)
class _Table:
    key: str
    title: str
    empty: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]


def render(report: SubjectAccessReport) -> str:
    """The report as the text of an HTML document.

    Args:
        report: the report.

    Returns:
        HTML5 in UTF-8 without scripts and without references to other files; every text is escaped.
    """
    environment = Environment(
        loader=PackageLoader("consentry.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["lines"] = lines
    environment.tests["unavailable"] = _is_unavailable
    return environment.get_template("subject_access.html.j2").render(report=report, tables=_tables(report))


def _is_unavailable(value: object) -> bool:
    return isinstance(value, Unavailable)


def _tables(report: SubjectAccessReport) -> tuple[_Table, ...]:
    return (
        _table("consents", "Your consents", "None.", ConsentRow, report.consents),
        _table(
            "datasets",
            "Datasets with data about you",
            "No dataset version with data about you is on the ledger.",
            DatasetRow,
            report.datasets,
        ),
        _table(
            "accesses",
            "Who accessed or tried to access them",
            "Nobody tried to access data about you.",
            AccessRow,
            report.accesses,
        ),
        _table(
            "sessions",
            "Training sessions that used them",
            "No training session used data about you.",
            SessionRow,
            report.sessions,
        ),
        _table(
            "model_versions",
            "Models made from them",
            "No model was made from data about you.",
            ModelVersionRow,
            report.model_versions,
        ),
    )


def _table(key: str, title: str, empty: str, row_type: Any, rows: tuple[Any, ...]) -> _Table:
    return _Table(key, title, empty, columns(row_type), tuple(cells(row) for row in rows))
