"""Reports for subjects, officers and authorities: composed once, one module a format.

Example:
    >>> from consentry.reports import html, subject_access_report
    >>> report = subject_access_report(trail, commitment, generated_at=instant)  # doctest: +SKIP
    >>> path.write_text(html.render(report), encoding="utf-8")  # doctest: +SKIP
"""

from consentry.reports import csv, html, json, pdf
from consentry.reports.figures import Figure, draw, time_line
from consentry.reports.report import Completeness, Report, Table, make_table
from consentry.reports.subject_access import subject_access_report
from consentry.reports.values import Column, ReportField, Unavailable, Value

__all__ = [
    "Column",
    "Completeness",
    "Figure",
    "Report",
    "ReportField",
    "Table",
    "Unavailable",
    "Value",
    "csv",
    "draw",
    "html",
    "json",
    "make_table",
    "pdf",
    "subject_access_report",
    "time_line",
]
