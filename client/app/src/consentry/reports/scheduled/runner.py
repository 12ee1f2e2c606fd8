"""Runs what is due: composed, signed, delivered, logged to the ledger; a missed run is caught up.

A run that breaks off is done again under the same due time: what was delivered already is not made anew, and
what is on the ledger already is not logged twice, for its id comes from organization, name and due time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from consentry.identity import WalletIdentity
from consentry.index import Trail
from consentry.reports.details import Details
from consentry.reports.evidence_making import completed
from consentry.reports.scheduled.composing import SUBJECTS, compose, write
from consentry.reports.scheduled.delivered import Delivered, described, read_delivered
from consentry.reports.scheduled.delivery import Storage, send_mail
from consentry.reports.scheduled.schedule_file import Schedule, ScheduledReport
from consentry.reports.scheduled.signed_manifest import sign_manifest
from consentry_records.instants import format_instant


class LogRead(Protocol):
    """Logs a delivered report to the ledger; logging the same id again does nothing."""

    def __call__(self, identifier: str, delivered: Delivered, manifest: bytes) -> None:
        """Log it."""


@dataclass(frozen=True)
class Run:
    """One run that was done.

    Attributes:
        name: of the schedule's line.
        due_at: when it was due.
        missed: how many earlier due times it stands for as well.
        files: names of the delivered files, the manifest last.
    """

    name: str
    due_at: datetime
    missed: int
    files: tuple[str, ...]


class ScheduleRunner:
    """Runs a schedule.

    Args:
        schedule: what is due when, and where it goes.
        identity: whose key signs.
        open_trail: gives the trail, brought up to date.
        log: puts a run on the ledger.
        state: file that keeps when each line was last done.
    """

    def __init__(
        self,
        schedule: Schedule,
        identity: WalletIdentity,
        open_trail: Callable[[], Trail],
        log: LogRead,
        state: Path,
    ) -> None:
        self._schedule, self._identity = schedule, identity
        self._open_trail, self._log, self._state = open_trail, log, state

    def run_due(self, now: datetime) -> Iterator[Run]:
        """Do every line that is due, one after the other.

        A line that was never done is due at its next time from now on; several missed times are done once.

        Raises:
            DeliveryFailed: a report could not be delivered; lines before it are done.
        """
        for entry in self._schedule.reports:
            done = self._read_state()
            last = done.get(entry.name)
            if last is None:
                self._write_state({**done, entry.name: format_instant(now)})
                continue
            due = list(_due(entry, datetime.fromisoformat(last), now))
            if due:
                files = self._run(entry, due[-1], now)
                self._write_state({**self._read_state(), entry.name: format_instant(due[-1])})
                yield Run(entry.name, due[-1], len(due) - 1, files)

    def next_due(self, now: datetime) -> datetime:
        """When the next line is due."""
        done = self._read_state()
        return min(
            entry.due_after(datetime.fromisoformat(done[entry.name]) if entry.name in done else now)
            for entry in self._schedule.reports
        )

    def _run(self, entry: ScheduledReport, due: datetime, now: datetime) -> tuple[str, ...]:
        storage = Storage(self._schedule.deliver_to)
        stem = f"{entry.name}-{due:%Y%m%dT%H%M}"
        manifest_name = _manifest_name(stem)
        manifest = storage.read(manifest_name) or self._deliver(entry, due, now, storage, stem)
        # Never of a report that was composed again: what is logged is what lies in the storage.
        delivered = read_delivered(manifest, storage, self._identity.msp_id)
        self._log(_identifier(self._identity.msp_id, stem), delivered, manifest)
        return (*delivered.files, manifest_name)

    def _deliver(
        self, entry: ScheduledReport, due: datetime, now: datetime, storage: Storage, stem: str
    ) -> bytes:
        """Make a report and deliver it; its manifest."""
        about = entry.about or (self._identity.msp_id if SUBJECTS[entry.report] == "organization" else "")
        details = Details.read(self._schedule.details) if self._schedule.details is not None else Details()
        trail = self._open_trail()
        report = compose(entry.report, trail, about, format_instant(now), details)
        report = completed(trail, report, with_evidence="json" in entry.formats)
        files: dict[str, bytes] = {}
        for form in entry.formats:
            files |= write(report, form, stem)
        manifest = sign_manifest(self._identity, files, described(entry.name, report, about, due))
        manifest_file = {_manifest_name(stem): manifest}
        storage.write(files)
        if self._schedule.mail is not None:
            title = f"{report.title} ({due:%Y-%m-%d})"
            send_mail(self._schedule.mail, title, report.law, {**files, **manifest_file})
        # Last, for it says that the rest was delivered.
        storage.write(manifest_file)
        return manifest

    def _read_state(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._state.read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def _write_state(self, done: dict[str, str]) -> None:
        temporary = self._state.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(done, indent=2))
        os.replace(temporary, self._state)  # noqa: PTH105


def _due(entry: ScheduledReport, last: datetime, now: datetime) -> Iterator[datetime]:
    due = entry.due_after(last)
    while due <= now.astimezone(UTC):
        yield due
        due = entry.due_after(due)


def _manifest_name(stem: str) -> str:
    return f"{stem}.manifest.json"


def _identifier(msp_id: str, stem: str) -> str:
    """The ledger's id of one line's run at one due time; the same however often it is tried."""
    label = f"consentry/scheduled-report/1 {msp_id} {stem}"
    return f"trailread-{hashlib.sha256(label.encode()).hexdigest()[:32]}"
