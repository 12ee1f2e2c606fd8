"""Reports being made: in threads of their own, so that a long one keeps no page waiting; in memory only."""

from __future__ import annotations

import hashlib
import io
import logging
import secrets
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

from consentry.errors import ConsentryError
from consentry.index import Trail
from consentry.reports import Report
from consentry.reports.evidence_making import completed
from consentry.reports.scheduled.composing import write
from consentry.web.errors import PageRefused
from consentry.web.report_offers import FORMATS, ReportOrder

KEPT_SECONDS = 30 * 60
_AT_ONCE = 2
_MOST_OF_AN_OFFICER = 10
_MOST_UNFINISHED = 3
_log = logging.getLogger(__name__)


class JobState(StrEnum):
    """How far a report is."""

    WAITING = "waiting"
    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class ReportJob:
    """One report being made, or made.

    Attributes:
        key: random, in the address of its page.
        owner: digest of the certificate of the officer who ordered it.
        order: what was ordered.
        begun_at: when, Unix seconds.
        state: how far it is.
        code: why it failed; empty if it did not.
        last_block: the block up to which it is complete.
        data: the file.
    """

    key: str
    owner: str
    order: ReportOrder = field(repr=False)
    begun_at: float
    state: JobState = JobState.WAITING
    code: str = ""
    last_block: int = 0
    data: bytes = field(default=b"", repr=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens."""
        return self.state in (JobState.DONE, JobState.FAILED)

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def file_name(self) -> str:
        """The file's name: what report it is, nothing of what it is about."""
        ending = "zip" if self.order.form == "csv" else self.order.form
        return f"consentry-{self.order.report}-{self.key[:8]}.{ending}"


Deliver = Callable[[Report, bytes], object]
"""Puts a finished report on record; what it raises keeps the file from the officer."""


class ReportJobs:
    """All reports of one server, usable by many threads.

    Args:
        now: Unix seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._jobs: dict[str, ReportJob] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_AT_ONCE, "consentry-web-report")

    def begin(self, owner: str, order: ReportOrder, trail: Trail, at: str, deliver: Deliver) -> ReportJob:
        """Begin to make a report.

        Args:
            owner: digest of the officer's certificate.
            order: what is ordered.
            trail: where it is made from.
            at: the instant as of which it is made.
            deliver: puts it on record.

        Raises:
            PageRefused: 429, TOO_MANY_REPORTS: the officer has three that are not finished.
        """
        job = ReportJob(secrets.token_hex(16), owner, order, self._now())
        with self._lock:
            self._forget_old()
            own = [entry for entry in self._jobs.values() if entry.owner == owner]
            if sum(not entry.is_over for entry in own) >= _MOST_UNFINISHED:
                raise PageRefused(429, "TOO_MANY_REPORTS", "three reports are being made already")
            for entry in own[: max(len(own) - _MOST_OF_AN_OFFICER + 1, 0)]:
                del self._jobs[entry.key]
            self._jobs[job.key] = job
        self._threads.submit(self._make, job, trail, at, deliver)
        return job

    def find(self, owner: str, key: str) -> ReportJob:
        """An officer's own report.

        Raises:
            PageRefused: 404, REPORT_NOT_KEPT.
        """
        with self._lock:
            self._forget_old()
            job = self._jobs.get(key)
        if job is None or job.owner != owner:
            raise PageRefused(404, "REPORT_NOT_KEPT", "there is no such report of this officer")
        return job

    def of(self, owner: str) -> tuple[ReportJob, ...]:
        """An officer's reports, newest first."""
        with self._lock:
            self._forget_old()
            return tuple(job for job in reversed(self._jobs.values()) if job.owner == owner)

    def seconds(self, job: ReportJob) -> int:
        """How long ago a report was begun, in seconds."""
        return int(self._now() - job.begun_at)

    def _forget_old(self) -> None:
        oldest = self._now() - KEPT_SECONDS
        for key in [key for key, job in self._jobs.items() if job.is_over and job.begun_at < oldest]:
            del self._jobs[key]

    @staticmethod
    def _make(job: ReportJob, trail: Trail, at: str, deliver: Deliver) -> None:
        order = job.order
        try:
            job.state = JobState.READING
            report = order.compose(trail, at)
            report = completed(trail, report, order.manifest, with_evidence=order.form == "json")
            job.state = JobState.WRITING
            data = _file(report, order.form)
            deliver(report, data)
        except ConsentryError as error:
            job.code, job.state = error.code, JobState.FAILED
        except Exception:
            # The words of what went wrong may hold what the report is about.
            _log.error("a report could not be made", exc_info=False)
            job.code, job.state = "REPORT_FAILED", JobState.FAILED
        else:
            job.data, job.last_block = data, report.completeness.last_block
            job.state = JobState.DONE


def _file(report: Report, form: str) -> bytes:
    assert form in FORMATS  # noqa: S101 - orders are checked before
    files = write(report, form, report.kind)
    if len(files) == 1:
        return next(iter(files.values()))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            # Without the time of this machine, so that the same report gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return target.getvalue()
