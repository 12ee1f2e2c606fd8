"""Reports: ordered by a form, made beside the pages, downloaded; and the schedule of those made alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from consentry.errors import InputRejected
from consentry.reports import Details, Report
from consentry.reports.evidence_making import RecordedManifest
from consentry.web.access import CurrentSession, Officer, require
from consentry.web.custody import kept_subject, own_manifest, own_register
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView
from consentry.web.pages.registers import chosen_organization, organizations
from consentry.web.reading import reading
from consentry.web.rendering import page
from consentry.web.report_jobs import KEPT_SECONDS, JobState, ReportJobs
from consentry.web.report_offers import FORMATS, OFFERED, OFFICERS, PERSON, ReportOrder
from consentry.web.sessions import Session
from consentry.web.settings import WebSettings
from consentry.web.views.schedule import view_schedule
from consentry_records.instants import format_instant
from consentry_records.roles import DPO

router = APIRouter()

Maker = Annotated[Officer, Depends(require(*OFFICERS))]
JobKey = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_ABOUT = "^[A-Za-z0-9.-]{0,64}$"


@router.get("/reports")
def reports(
    request: Request,
    view: CurrentView,
    officer: Maker,
    report: Annotated[str, Query(pattern="^[a-z-]{0,32}$")] = "",
    about: Annotated[str, Query(pattern=_ABOUT)] = "",
) -> HTMLResponse:
    """What can be made, a form each; a link can fill one of them in."""
    with reading(request, view) as snapshot:
        choices = organizations(request, snapshot.connection)
    settings: WebSettings = request.app.state.settings
    return page(
        request,
        "reports.html",
        title_key="reports.title",
        offered={name: subject for name, subject in OFFERED.items() if subject != PERSON},
        formats=tuple(FORMATS),
        choices=choices,
        own=settings.msp_id,
        chosen=report,
        about=about,
        jobs=_jobs(request).of(officer.certificate_digest),
        has_persons=own_register(request) is not None and DPO in officer.roles,
    )


@router.post("/reports")
def order(
    request: Request,
    view: CurrentView,
    officer: Maker,
    session: CurrentSession,
    report: Annotated[str, Form(pattern="^[a-z-]{1,32}$")],
    form: Annotated[str, Form(pattern="^[a-z]{3,4}$")],
    about: Annotated[str, Form(pattern=_ABOUT)] = "",
) -> Response:
    """Begin to make a report and go on to its page."""
    if report not in OFFERED or form not in FORMATS:
        raise InputRejected("FIELD_INVALID", "there is no such report or format")
    settings: WebSettings = request.app.state.settings
    ordered = _order(request, view, officer, session, report, form, about)

    def deliver(made: Report, data: bytes) -> None:
        view.record_report(officer, made, data)

    at = format_instant(settings.clock())
    job = _jobs(request).begin(officer.certificate_digest, ordered, view.trail, at, deliver)
    return RedirectResponse(f"/reports/made/{job.key}", 303)


@router.get("/reports/schedule")
def schedule(request: Request, officer: Maker) -> HTMLResponse:
    """The schedule of reports that are made by themselves."""
    settings: WebSettings = request.app.state.settings
    found = view_schedule(settings.report_files.schedule, settings.clock())
    return page(request, "schedule.html", title_key="schedule.title", found=found)


@router.get("/reports/made/{key}")
def made(request: Request, officer: Maker, key: JobKey) -> HTMLResponse:
    """How far a report is; the officer's own only."""
    jobs = _jobs(request)
    job = jobs.find(officer.certificate_digest, key)
    return page(
        request,
        "report_job.html",
        title_key="report_job.title",
        job=job,
        seconds=jobs.seconds(job),
        kept_minutes=KEPT_SECONDS // 60,
        reason=_reason(job.code),
    )


@router.get("/reports/made/{key}/file")
def download(request: Request, officer: Maker, key: JobKey) -> Response:
    """A finished report's file, to be saved: it is never shown inside these pages."""
    job = _jobs(request).find(officer.certificate_digest, key)
    if job.state is not JobState.DONE:
        raise PageRefused(404, "REPORT_NOT_KEPT", "the report is not finished")
    headers = {"content-disposition": f'attachment; filename="{job.file_name}"'}
    return Response(job.data, media_type=FORMATS[job.order.form], headers=headers)


def _order(
    request: Request,
    view: CurrentView,
    officer: Officer,
    session: Session,
    report: str,
    form: str,
    about: str,
) -> ReportOrder:
    """What is ordered, once it is sure that this officer may; raises PageRefused, InputRejected."""
    settings: WebSettings = request.app.state.settings
    path = settings.report_files.details
    details = Details.read(path) if path is not None else Details()
    subject = OFFERED[report]
    if subject == PERSON:
        if DPO not in officer.roles:
            raise PageRefused(403, "ROLE_REQUIRED", "reports on a person need the role dpo")
        commitment = kept_subject(session, about)
        manifest = RecordedManifest(own_manifest(request, settings.msp_id))
        return ReportOrder(report, commitment, form, details, manifest)
    if subject == "organization":
        with reading(request, view) as snapshot:
            about = chosen_organization(request, organizations(request, snapshot.connection), about)
    if not about:
        raise InputRejected("FIELD_INVALID", "the report needs to be about something")
    return ReportOrder(report, about, form, details)


def _jobs(request: Request) -> ReportJobs:
    jobs: ReportJobs = request.app.state.report_jobs
    return jobs


def _reason(code: str) -> str:
    """Key of the text that says why a report failed."""
    if code.endswith("_NOT_INDEXED"):
        return "report_job.NOT_INDEXED"
    return "report_job.FORMAT_UNAVAILABLE" if code == "FORMAT_UNAVAILABLE" else "report_job.OTHER"
