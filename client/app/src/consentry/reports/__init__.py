"""Reports for subjects, officers and authorities: composed once, one module a format.

Example:
    >>> from consentry.reports import html, subject_access_report
    >>> report = subject_access_report(trail, commitment, generated_at=instant)  # doctest: +SKIP
    >>> path.write_text(html.render(report), encoding="utf-8")  # doctest: +SKIP
"""

from consentry.reports import csv, html, json, pdf
from consentry.reports.access_log import dataset_access_report, person_access_report
from consentry.reports.breach_register import breach_register
from consentry.reports.consent_evidence import consent_evidence
from consentry.reports.details import Details
from consentry.reports.disclosures import disclosures_report
from consentry.reports.erasure import rights_register
from consentry.reports.figures import Figure, draw, time_line
from consentry.reports.model_dossier import model_dossier, model_log
from consentry.reports.processing import processing_report
from consentry.reports.report import Completeness, Report, Table, make_table
from consentry.reports.subject_access import subject_access_report
from consentry.reports.values import Column, ReportField, Unavailable, Value

__all__ = [
    "Column",
    "Completeness",
    "Details",
    "Figure",
    "Report",
    "ReportField",
    "Table",
    "Unavailable",
    "Value",
    "breach_register",
    "consent_evidence",
    "csv",
    "dataset_access_report",
    "disclosures_report",
    "draw",
    "html",
    "json",
    "make_table",
    "model_dossier",
    "model_log",
    "pdf",
    "person_access_report",
    "processing_report",
    "rights_register",
    "subject_access_report",
    "time_line",
]
