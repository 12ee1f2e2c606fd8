"""A report as JSON: the same statements as in print, each with the article that asks for it."""

import json
from typing import Any

from consentry.reports.result import (
    AccessRow,
    ConsentRow,
    DatasetRow,
    ModelVersionRow,
    SessionRow,
    SubjectAccessReport,
)
from consentry.reports.values import columns, plain

FORMAT = "consentry.report.gdpr-15/1"


def render(report: SubjectAccessReport) -> str:
    """The report as indented JSON text with a final line break.

    Args:
        report: the report.

    Returns:
        JSON with the keys ``format``, ``title``, what the report rests on, ``fields`` and one table each for
        ``consents``, ``datasets``, ``accesses``, ``sessions`` and ``model_versions``. What the ledger lacks
        is ``{"unavailable": reason}``.
    """
    document = {
        "format": FORMAT,
        "title": "Access by the data subject (GDPR Art. 15)",
        "subject": report.subject,
        "custodian": report.custodian,
        "generated_at": report.generated_at,
        "completeness": {
            "channel": report.completeness.channel,
            "last_block": report.completeness.last_block,
            "header_hash": report.completeness.header_hash,
            "genesis_hash": report.completeness.genesis_hash,
            "anchored": report.completeness.anchored,
            "sentence": report.completeness.sentence,
        },
        "basis": report.basis,
        "fields": [
            {"key": entry.key, "label": entry.label, "article": entry.article, "value": plain(entry.value)}
            for entry in report.fields
        ],
        "consents": _table(ConsentRow, report.consents),
        "datasets": _table(DatasetRow, report.datasets),
        "accesses": _table(AccessRow, report.accesses),
        "sessions": _table(SessionRow, report.sessions),
        "model_versions": _table(ModelVersionRow, report.model_versions),
        "remarks": list(report.remarks),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _table(row_type: Any, rows: Any) -> dict[str, Any]:
    described = columns(row_type)
    return {
        "columns": [
            {"key": column.key, "label": column.label, "article": column.article} for column in described
        ],
        "rows": [{column.key: plain(getattr(row, column.key)) for column in described} for row in rows],
    }
