"""One person's data, for the person's custodian alone: a pseudonym in, everything that happened with it out.

The pseudonym travels in a form, never in an address; the page's own address has a random handle that means
something to the session of its officer only. Each look is put on the ledger before it is answered.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from consentry.errors import InputRejected
from consentry.index import PageRequest
from consentry.web.access import CurrentSession, Officer, require
from consentry.web.custody import commitment_of, keep_subject, kept_subject, own_manifest, own_register
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView
from consentry.web.lineage_figure import lineage_figure
from consentry.web.reading import AfterPlace, put_on_record, reading
from consentry.web.rendering import page, words
from consentry.web.settings import WebSettings
from consentry.web.views.subject import ACCESSES_A_PAGE, view_subject
from consentry_records.roles import DPO

router = APIRouter()

DataProtectionOfficer = Annotated[Officer, Depends(require(DPO))]
Handle = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.get("/subjects")
def ask(request: Request, officer: DataProtectionOfficer) -> HTMLResponse:
    """Ask for a pseudonym."""
    _check_custodian(request)
    return page(request, "subject_form.html", title_key="subject_form.title", is_unknown=False)


@router.post("/subjects")
def find(
    request: Request,
    officer: DataProtectionOfficer,
    session: CurrentSession,
    pseudonym: Annotated[str, Form()] = "",
) -> Response:
    """Find a subject in the own register and go on to the page on it."""
    _check_custodian(request)
    try:
        commitment = commitment_of(request, pseudonym)
    except InputRejected:
        return page(request, "subject_form.html", title_key="subject_form.title", status=404, is_unknown=True)
    return RedirectResponse(f"/subjects/{keep_subject(session, commitment)}", 303)


@router.get("/subjects/{handle}")
def subject(
    request: Request,
    view: CurrentView,
    officer: DataProtectionOfficer,
    session: CurrentSession,
    handle: Handle,
    after: AfterPlace = None,
) -> HTMLResponse:
    """Everything that happened with one person's data."""
    _check_custodian(request)
    settings: WebSettings = request.app.state.settings
    commitment = kept_subject(session, handle)
    with reading(request, view) as snapshot:
        found = view_subject(
            snapshot.connection,
            commitment,
            own_manifest(request, settings.msp_id),
            snapshot.at,
            PageRequest(ACCESSES_A_PAGE, after, newest_first=True),
        )
    put_on_record(
        request,
        officer,
        "subject",
        [commitment],
        row_count=found.row_count,
        last_block=snapshot.last_block,
    )
    return page(
        request,
        "subject.html",
        title_key="subject.title",
        found=found,
        handle=handle,
        after=after,
        figure=lineage_figure(found.around.lineage, (), snapshot.at, words(request)),
    )


def _check_custodian(request: Request) -> None:
    if own_register(request) is None:
        raise PageRefused(403, "NOT_CUSTODIAN", "this organization keeps no register of subjects")
