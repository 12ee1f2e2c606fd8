"""Which reports officers can make here, what each is about, and how it is composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consentry.index import Trail
from consentry.reports import (
    Details,
    Report,
    consent_evidence,
    disclosures_report,
    person_access_report,
    subject_access_report,
)
from consentry.reports.evidence_making import RecordedManifest
from consentry.reports.scheduled.composing import SUBJECTS, compose
from consentry_records.roles import AUDITOR, DPO, REGULATOR, STEWARD

PERSON = "person"
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "html": "text/html; charset=utf-8",
        "pdf": "application/pdf",
        "csv": "application/zip",
        "json": "application/json",
    }
)
"""Formats and their media types; CSV is several files, and comes as one archive."""

OFFICERS = (STEWARD, DPO, AUDITOR, REGULATOR)
"""Who may make reports; those on one person are its custodian's data protection officer's alone."""

ComposeSubject = Callable[[Trail, str, str, RecordedManifest, Details], Report]

_ON_PERSONS: Mapping[str, ComposeSubject] = MappingProxyType(
    {
        "subject-access": lambda trail, subject, at, manifest, details: subject_access_report(
            trail, subject, generated_at=at, manifest=manifest, details=details
        ),
        "person-access-log": lambda trail, subject, at, manifest, _details: person_access_report(
            trail, subject, generated_at=at, manifest=manifest
        ),
        "consent-evidence": lambda trail, subject, at, _manifest, _details: consent_evidence(
            trail, subject, generated_at=at
        ),
        "disclosures": lambda trail, subject, at, manifest, details: disclosures_report(
            trail, subject, generated_at=at, manifest=manifest, details=details
        ),
    }
)

OFFERED: Mapping[str, str] = MappingProxyType({**SUBJECTS, **dict.fromkeys(_ON_PERSONS, PERSON)})
"""Report → what it is about: ``organization``, ``dataset``, ``model_version`` or ``person``."""


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """What an officer ordered.

    Attributes:
        report: one of `OFFERED`.
        about: MSP id, dataset, model version id, or a person's commitment.
        form: one of `FORMATS`.
        details: what the organization states itself.
        manifest: the custodian's row manifests, for a report on a person.
    """

    report: str
    about: str
    form: str
    details: Details
    manifest: RecordedManifest | None = None

    def compose(self, trail: Trail, at: str) -> Report:
        """Make the report of a trail as of an instant.

        Raises:
            IndexFault: what it is about is not indexed.
        """
        if OFFERED[self.report] == PERSON:
            manifest = self.manifest or RecordedManifest(None)
            return _ON_PERSONS[self.report](trail, self.about, at, manifest, self.details)
        return compose(self.report, trail, self.about, at, self.details)
