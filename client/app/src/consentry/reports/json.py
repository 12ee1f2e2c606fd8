"""A report as JSON: the same statements as in print, each with the law that asks for it.

Its form is published as a JSON schema, ``report.schema.json`` in this package.
"""

import json
from importlib.resources import files
from typing import Any

import orjson

from consentry.reports.evidence import Evidence
from consentry.reports.evidence_json import evidence_to_json
from consentry.reports.report import Report, Table
from consentry.reports.values import plain

FORMAT = "consentry.report/2"


def render(report: Report) -> str:
    """The report as indented JSON text with a final line break.

    What the ledger lacks is ``{"unavailable": reason}``.
    """
    document = {
        "format": FORMAT,
        "report": report.kind,
        "title": report.title,
        "law": report.law,
        "facts": [{"label": label, "value": text} for label, text in report.facts],
        "generated_at": report.generated_at,
        "completeness": {**vars(report.completeness), "sentence": report.completeness.sentence},
        "basis": report.basis,
        "fields": [
            {"key": entry.key, "label": entry.label, "article": entry.article, "value": plain(entry.value)}
            for entry in report.fields
        ],
        "tables": {table.key: _table(table, report.evidence) for table in report.tables},
        "figures": [
            {"key": figure.key, "title": figure.title, "description": figure.description}
            for figure in report.figures
        ],
        "remarks": list(report.remarks),
        "note": report.note,
        "evidence": None if report.evidence is None else evidence_to_json(report.evidence),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of every report."""
    found: dict[str, Any] = json.loads(files("consentry.reports").joinpath("report.schema.json").read_text())
    return found


def _table(table: Table, evidence: Evidence | None) -> dict[str, Any]:
    described = table.columns
    keys = [column.key for column in described]
    return {
        "title": table.title,
        "columns": [
            {"key": column.key, "label": column.label, "article": column.article} for column in described
        ],
        "rows": [dict(zip(keys, map(plain, row), strict=True)) for row in table.cells],
        "references": []
        if evidence is None
        else [list(found) for found in evidence.references.get(table.key, ())],
    }
