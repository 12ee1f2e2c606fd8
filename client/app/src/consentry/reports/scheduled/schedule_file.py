"""The schedule: a YAML file that says which reports are due when, and where they go.

Example::

    deliver_to: /var/lib/consentry/reports      # or any fsspec URL, e.g. s3://bucket/reports
    details: ours.yaml
    mail: {server: smtp.example.org, port: 587, sender: ledger@example.org, recipients: [dpo@example.org]}
    reports:
      - {name: processing, report: processing, when: "0 6 1 * *", formats: [html, pdf]}
      - {name: biopsies, report: dataset-access-log, dataset: biopsies, when: "0 6 * * 1", formats: [csv]}
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cronsim import CronSim, CronSimError

from consentry.documents import Document
from consentry.errors import ConfigurationError
from consentry.reports.scheduled.composing import SUBJECTS

_CODE = "SCHEDULE_INVALID"
FORMATS = ("html", "pdf", "csv", "json")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True)
class ScheduledReport:
    """One line of a schedule.

    Attributes:
        name: of the line; files begin with it.
        report: which report, one of ``composing.SUBJECTS``.
        about: the organization (MSP id; empty: the own one), dataset or model version that it is about.
        when: cron expression of five fields, in UTC.
        formats: how it is written.
    """

    name: str
    report: str
    about: str
    when: str
    formats: tuple[str, ...]

    def due_after(self, instant: datetime) -> datetime:
        """The first time after an instant at which it is due."""
        return next(CronSim(self.when, instant.astimezone(UTC)))


@dataclass(frozen=True)
class Mail:
    """Where reports are mailed; the password comes from the environment variable CONSENTRY_SMTP_PASSWORD."""

    server: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str = ""


@dataclass(frozen=True)
class Schedule:
    """What a schedule file says.

    Attributes:
        deliver_to: a folder, or an fsspec URL.
        reports: its lines.
        details: file with what the organization states itself; None if there is none.
        mail: where reports are mailed as well; None for nowhere.
    """

    deliver_to: str
    reports: tuple[ScheduledReport, ...]
    details: Path | None = None
    mail: Mail | None = None


def read_schedule(path: Path) -> Schedule:
    """Read a schedule.

    Raises:
        ConfigurationError: SCHEDULE_INVALID, naming the place in the file and what is expected there.
    """
    # Here, for only whoever has a schedule needs it.
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(_CODE, f"{path} cannot be read as text") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(_CODE, f"{path} is not YAML") from error
    if not isinstance(found, dict):
        raise ConfigurationError(_CODE, f"{path}: expected deliver_to and reports, got no mapping")
    document = Document(found, str(path), _CODE)
    names = document.names()
    schedule = Schedule(
        deliver_to=document.take_text("deliver_to"),
        reports=tuple(_report(entry) for entry in document.take_objects("reports")),
        details=path.parent / document.take_text("details") if "details" in names else None,
        mail=_mail(document.take_object("mail")) if "mail" in names else None,
    )
    document.finish()
    doubled = sorted({entry.name for entry in schedule.reports if _count(schedule, entry.name) > 1})
    if doubled or not schedule.reports:
        raise document.error(f"reports: names have to differ, and one is needed; got {doubled or 'none'}")
    return schedule


def _count(schedule: Schedule, name: str) -> int:
    return sum(entry.name == name for entry in schedule.reports)


def _report(entry: Document) -> ScheduledReport:
    name, report = entry.take_text("name"), entry.take_text("report")
    if not _NAME.fullmatch(name):
        raise entry.error("name: expected 1 to 41 lower-case letters, digits or '-'")
    if report not in SUBJECTS:
        raise entry.error(f"report: expected one of {', '.join(SUBJECTS)}")
    when = entry.take_text("when")
    try:
        next(CronSim(when, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        raise entry.error("when: expected five cron fields, such as '0 6 1 * *' (UTC)") from None
    formats = tuple(entry.take("formats", list))
    if not formats or not set(formats) <= set(FORMATS):
        raise entry.error(f"formats: expected some of {', '.join(FORMATS)}")
    subject = SUBJECTS[report]
    is_given = subject in entry.names() or subject != "organization"
    made = ScheduledReport(name, report, entry.take_text(subject) if is_given else "", when, formats)
    entry.finish()
    return made


def _mail(entry: Document) -> Mail:
    names = entry.names()
    recipients: list[Any] = entry.take("recipients", list)
    if not recipients or not all(isinstance(name, str) and "@" in name for name in recipients):
        raise entry.error("recipients: expected mail addresses")
    made = Mail(
        server=entry.take_text("server"),
        port=entry.take("port", int),
        sender=entry.take_text("sender"),
        recipients=tuple(recipients),
        user=entry.take_text("user") if "user" in names else "",
    )
    entry.finish()
    return made
