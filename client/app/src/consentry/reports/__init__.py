"""Reports for subjects, officers and authorities: one typed result each, one module a format.

Example:
    >>> from consentry.reports import html, subject_access_report
    >>> report = subject_access_report(trail, commitment, generated_at=instant)  # doctest: +SKIP
    >>> path.write_text(html.render(report), encoding="utf-8")  # doctest: +SKIP
"""

from consentry.reports import html, json
from consentry.reports.result import (
    AccessRow,
    Completeness,
    ConsentRow,
    DatasetRow,
    ModelVersionRow,
    SessionRow,
    SubjectAccessReport,
)
from consentry.reports.subject_access import subject_access_report
from consentry.reports.values import Column, ReportField, Unavailable, Value

__all__ = [
    "AccessRow",
    "Column",
    "Completeness",
    "ConsentRow",
    "DatasetRow",
    "ModelVersionRow",
    "ReportField",
    "SessionRow",
    "SubjectAccessReport",
    "Unavailable",
    "Value",
    "html",
    "json",
    "subject_access_report",
]
