"""A report as CSV (RFC 4180): one text for the statements and one for each table."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from consentry.reports.report import Report
from consentry.reports.values import Value, lines

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report) -> dict[str, str]:
    """The report as the texts of CSV files, by file name.

    Several texts in one cell stand on lines of their own. A text that a spreadsheet would take for a formula
    begins with an apostrophe.
    """
    facts = [
        ("report", "", "", report.title),
        *((label, "", "", text) for label, text in report.facts),
        ("generated_at", "Made", "", report.generated_at),
        ("completeness", "Completeness", "", report.completeness.sentence),
        ("basis", "How the records were found", "", report.basis),
        *(("remark", "Remark", "", remark) for remark in report.remarks),
    ]
    fields = [(entry.key, entry.label, entry.article, entry.value) for entry in report.fields]
    files = {"statements.csv": _text(("key", "label", "article", "value"), [*facts, *fields])}
    for table in report.tables:
        files[f"{table.key}.csv"] = _text([column.key for column in table.columns], table.cells)
    return files


def _text(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    target = StringIO()
    writer = csv.writer(target)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return target.getvalue()


def _cell(value: Value) -> str:
    text = "" if value == "" else "\n".join(lines(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
