"""Withdrawing a consent, from its record to the action."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from consentry.index.rows import get_record
from consentry.web.access import Officer, require_function
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView
from consentry.web.offering import ActionForm, acting, call_of, new_form, offer
from consentry.web.reading import ConsentId, put_on_record, reading
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry_records.consent import WITHDRAWN, Consent

router = APIRouter()
Withdrawer = Annotated[Officer, Depends(require_function("consents:withdraw"))]


@router.get("/consents/{consent_id}/withdraw")
def withdrawal(
    request: Request, view: CurrentView, officer: Withdrawer, consent_id: ConsentId
) -> HTMLResponse:
    """One consent of the own organization; it is a person's, so the read is recorded."""
    acting(request)
    settings: WebSettings = request.app.state.settings
    with reading(request, view) as snapshot:
        row = get_record(snapshot.connection, "consent", consent_id)
    if row is None or not row.body or row.owner != settings.msp_id:
        raise PageRefused(404, "NOT_FOUND", "the organization has no such consent")
    put_on_record(request, officer, "records", [consent_id], row_count=1, last_block=snapshot.last_block)
    return page(
        request,
        "withdrawal.html",
        title_key="withdrawal.title",
        consent=Consent.from_dict(row.body),
        is_withdrawn=row.state == WITHDRAWN,
        form=new_form(),
    )


@router.post("/consents/{consent_id}/withdraw")
def withdraw(
    request: Request,
    officer: Withdrawer,
    consent_id: ConsentId,
    form: Annotated[ActionForm, Form()],
) -> RedirectResponse:
    """Offer the withdrawal."""
    calls = [call_of("consents:withdraw", consent_id)]
    return offer(request, officer, calls, form, f"/consents/{consent_id}/withdraw")
