"""Which reports can be scheduled, what each is about, and how it is composed and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from consentry.index import Trail
from consentry.reports import csv, html, json, pdf
from consentry.reports.access_log import dataset_access_report
from consentry.reports.breach_register import breach_register
from consentry.reports.details import Details
from consentry.reports.erasure import rights_register
from consentry.reports.model_dossier import model_dossier, model_log
from consentry.reports.processing import processing_report
from consentry.reports.report import Report

Compose = Callable[[Trail, str, str, Details], Report]
"""Makes a report of the trail, what it is about, the instant, and what the organization states itself."""

SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "processing": "organization",
        "rights": "organization",
        "breaches": "organization",
        "dataset-access-log": "dataset",
        "model-dossier": "model_version",
        "model-log": "model_version",
    }
)
"""Report → what it is about. Reports on one subject are not among them: a schedule holds no pseudonyms."""

_COMPOSED: Mapping[str, Compose] = MappingProxyType(
    {
        "processing": lambda trail, about, at, details: processing_report(
            trail, about, generated_at=at, details=details
        ),
        "rights": lambda trail, about, at, _details: rights_register(trail, about, generated_at=at),
        "breaches": lambda trail, about, at, details: breach_register(
            trail, about, generated_at=at, details=details
        ),
        "dataset-access-log": lambda trail, about, at, _details: dataset_access_report(
            trail, about, generated_at=at
        ),
        "model-dossier": lambda trail, about, at, details: model_dossier(
            trail, about, generated_at=at, details=details
        ),
        "model-log": lambda trail, about, at, _details: model_log(trail, about, generated_at=at),
    }
)


def compose(report: str, trail: Trail, about: str, generated_at: str, details: Details) -> Report:
    """Make a report by its name."""
    return _COMPOSED[report](trail, about, generated_at, details)


def write(report: Report, form: str, stem: str) -> dict[str, bytes]:
    """A report's files in one format, by name."""
    match form:
        case "html":
            return {f"{stem}.html": html.render(report).encode()}
        case "pdf":
            return {f"{stem}.pdf": pdf.render(report)}
        case "json":
            return {f"{stem}.json": json.render(report).encode()}
    return {f"{stem}-{name}": text.encode() for name, text in csv.render(report).items()}
