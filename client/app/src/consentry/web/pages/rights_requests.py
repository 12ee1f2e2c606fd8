"""Requests of data subjects: recording one, and taking the steps that follow (GDPR Art. 12, 15 to 21)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from consentry.errors import InputRejected
from consentry.identifiers import new_identifier
from consentry.index.rows import get_record
from consentry.transactions import checked
from consentry.web.access import Officer, require, require_function
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView, LedgerView
from consentry.web.offering import ActionForm, When, acting, call_of, instant_of, may_act, new_form, offer
from consentry.web.reading import RightsRequestId, Snapshot, put_on_record, reading
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry_records.instants import format_instant
from consentry_records.rights_request import (
    FULFILLED,
    GROUNDS,
    METHODS,
    NOTIFIED,
    RIGHTS,
    STEPS,
    STORES,
    NewRightsRequest,
    RecipientNotice,
    RightsFulfilment,
    RightsNotices,
    RightsRequest,
    RightsStep,
    next_steps,
)
from consentry_records.roles import AUDITOR, DPO, REGULATOR, STEWARD
from consentry_records.subject import ERASURE
from consentry_records.vocabulary import PURPOSES

router = APIRouter()
Reader = Annotated[Officer, Depends(require(STEWARD, DPO, AUDITOR, REGULATOR))]
Recorder = Annotated[Officer, Depends(require_function("rights:receive"))]


class ReceiptForm(ActionForm):
    """Who asks, by pseudonym, for what; it arrived now, or earlier (UTC)."""

    pseudonym: str = Field(min_length=1, max_length=256)
    right: str = Field(max_length=16)
    received_at: When = ""
    purposes: list[str] = Field(default=[], max_length=16)


class StepForm(ActionForm):
    """The next step, why where it needs a reason, and how many events the officer saw."""

    step: str = Field(max_length=16)
    ground: str = Field(default="", max_length=16)
    revision: int = Field(ge=1, le=64)


class NoticeForm(ActionForm):
    """Recipients (MSP ids) that were told, and how many events the officer saw."""

    recipients: str = Field(min_length=1, max_length=2000)
    revision: int = Field(ge=1, le=64)


class FulfilForm(ActionForm):
    """How many events the officer saw."""

    revision: int = Field(ge=1, le=64)


@router.get("/rights/new")
def new_rights_request(request: Request, officer: Recorder) -> HTMLResponse:
    """The form of a new request."""
    acting(request)
    return page(
        request,
        "rights_new.html",
        title_key="rights_request.new_title",
        form=new_form(),
        rights=tuple(RIGHTS),
        purposes=tuple(PURPOSES),
    )


@router.post("/rights/new")
def receive(request: Request, officer: Recorder, form: Annotated[ReceiptForm, Form()]) -> RedirectResponse:
    """Offer to record it. The pseudonym stays here: the ledger gets the person's commitment."""
    subject = acting(request).commitment(form.pseudonym)
    if subject is None:
        raise InputRejected("SUBJECT_UNKNOWN", "the register has no subject of this pseudonym")
    made = checked(
        lambda: NewRightsRequest(
            rights_request_id=new_identifier("rightsrequest"),
            right=form.right,
            subject=subject,
            received_at=instant_of(request, form.received_at),
            purposes=tuple(form.purposes),
            evidence_digest=None,
        )
    )
    way_back = f"/rights/{made.rights_request_id}"
    return offer(request, officer, [call_of("rights:receive", made)], form, way_back)


@router.get("/rights/{rights_request_id}")
def rights_request(
    request: Request, view: CurrentView, officer: Reader, rights_request_id: RightsRequestId
) -> HTMLResponse:
    """One request; it is a person's, so the read is recorded. Its custodian's officers may act on it."""
    settings: WebSettings = request.app.state.settings
    found, snapshot = read_request(request, view, rights_request_id)
    is_own = found.custodian == settings.msp_id
    following = next_steps(found)
    put_on_record(
        request, officer, "records", [rights_request_id], row_count=1, last_block=snapshot.last_block
    )
    return page(
        request,
        "rights_request.html",
        title_key="rights_request.title",
        found=found,
        form=new_form(),
        steps=tuple(step for step in following if step in STEPS),
        grounds=tuple(GROUNDS),
        stores=tuple(STORES),
        methods=tuple(METHODS),
        may_advance=is_own and may_act(request, officer, "rights:advance"),
        may_fulfil=is_own and FULFILLED in following and may_act(request, officer, "rights:fulfil"),
        may_erase=is_own and may_act(request, officer, "rights:purge", "rights:fulfil"),
        may_notify=is_own and NOTIFIED in following and may_act(request, officer, "rights:notify"),
        is_erasure=found.right == ERASURE,
    )


@router.post("/rights/{rights_request_id}/step")
def advance(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("rights:advance"))],
    rights_request_id: RightsRequestId,
    form: Annotated[StepForm, Form()],
) -> RedirectResponse:
    """Offer a step."""
    step = checked(
        lambda: RightsStep(
            rights_request_id=rights_request_id,
            revision=form.revision,
            step=form.step,
            ground=form.ground or None,
        )
    )
    return offer(request, officer, [call_of("rights:advance", step)], form, f"/rights/{rights_request_id}")


@router.post("/rights/{rights_request_id}/notify")
def notify(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("rights:notify"))],
    rights_request_id: RightsRequestId,
    form: Annotated[NoticeForm, Form()],
) -> RedirectResponse:
    """Offer to record who was told (GDPR Art. 19)."""
    settings: WebSettings = request.app.state.settings
    now = format_instant(settings.clock())
    notices = checked(
        lambda: RightsNotices(
            rights_request_id=rights_request_id,
            revision=form.revision,
            notices=tuple(
                RecipientNotice(recipient=name, notified_at=now) for name in form.recipients.split()
            ),
        )
    )
    return offer(request, officer, [call_of("rights:notify", notices)], form, f"/rights/{rights_request_id}")


@router.post("/rights/{rights_request_id}/fulfil")
def fulfil(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("rights:fulfil"))],
    rights_request_id: RightsRequestId,
    form: Annotated[FulfilForm, Form()],
) -> RedirectResponse:
    """Offer to record that a request other than an erasure is fulfilled."""
    done = checked(
        lambda: RightsFulfilment(
            rights_request_id=rights_request_id, revision=form.revision, purged=0, stores=()
        )
    )
    return offer(request, officer, [call_of("rights:fulfil", done)], form, f"/rights/{rights_request_id}")


def read_request(
    request: Request, view: LedgerView, rights_request_id: str
) -> tuple[RightsRequest, Snapshot]:
    """One request as the index has it; raises PageRefused NOT_FOUND."""
    with reading(request, view) as snapshot:
        row = get_record(snapshot.connection, "rights", rights_request_id)
    if row is None or not row.body:
        raise PageRefused(404, "NOT_FOUND", "there is no such request")
    return RightsRequest.from_dict(row.body), snapshot
