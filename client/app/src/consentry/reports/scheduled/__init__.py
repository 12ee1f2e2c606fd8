"""Reports that are made by themselves: when they are due, signed, delivered, and on the ledger."""

from consentry.reports.scheduled.delivered import Delivered
from consentry.reports.scheduled.runner import Run, ScheduleRunner
from consentry.reports.scheduled.schedule_file import Schedule, ScheduledReport, read_schedule
from consentry.reports.scheduled.signed_manifest import ManifestRefused, verify_manifest

__all__ = [
    "Delivered",
    "ManifestRefused",
    "Run",
    "Schedule",
    "ScheduleRunner",
    "ScheduledReport",
    "read_schedule",
    "verify_manifest",
]
