"""A report as PDF/A-2a: tagged, its fonts inside, made by Typst without any library of the system."""

import json
from importlib.resources import files

from consentry.errors import InputRejected
from consentry.reports.column_widths import column_shares
from consentry.reports.figures import draw
from consentry.reports.json import render as render_json
from consentry.reports.report import Report
from consentry.reports.values import plain


def render(report: Report) -> bytes:
    """The report as the bytes of a PDF file; the same report gives the same bytes.

    Raises:
        InputRejected: FORMAT_UNAVAILABLE where Typst is not installed (``pip install consentry[reports]``).
    """
    try:
        import typst
    except ImportError as error:
        raise InputRejected(
            "FORMAT_UNAVAILABLE",
            "PDF needs `pip install 'consentry[reports]'`; HTML can be printed without it.",
        ) from error
    document = json.loads(render_json(report))
    document["statements"] = plain(report.statements)
    document["drawings"] = {figure.key: draw(figure) for figure in report.figures}
    for table in report.tables:
        document["tables"][table.key]["empty"] = table.empty
        document["tables"][table.key]["widths"] = column_shares(table) if table.rows else []
    template = files("consentry.reports").joinpath("templates", "report.typ").read_bytes()
    made: bytes = typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards="a-2a",
        sys_inputs={"report": json.dumps(document)},
        timestamp=_epoch_seconds(report.generated_at),
    )
    return made


def _epoch_seconds(instant: str) -> int:
    from consentry_records.instants import parse_instant

    return int(parse_instant(instant).timestamp())
