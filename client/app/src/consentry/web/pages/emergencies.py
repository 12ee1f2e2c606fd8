"""Emergency accesses to the own organization's data: which reviews are owed, and making one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field
from sqlalchemy import select

from consentry.index.nearby import newest
from consentry.index.schema import records
from consentry.transactions import checked
from consentry.web.access import Officer, require, require_function
from consentry.web.ledger_view import CurrentView
from consentry.web.offering import ActionForm, call_of, may_act, new_form, offer
from consentry.web.reading import AfterRecord, put_on_record, reading
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry_records.emergency import EMERGENCY_FINDINGS, EmergencyAccess, EmergencyReview
from consentry_records.roles import AUDITOR, DPO, ETHICS

router = APIRouter()
EMERGENCIES_A_PAGE = 50
READERS = (DPO, ETHICS, AUDITOR)
"""Who reviews emergency accesses, or checks that they are reviewed."""

AttemptId = Annotated[str, Path(pattern="^attempt-[0-9a-f]{32}$")]


class EmergencyForm(ActionForm):
    """Whether the glass was broken for a good reason, and what was found."""

    state: str = Field(max_length=16)
    findings: list[str] = Field(min_length=1, max_length=len(EMERGENCY_FINDINGS))


@router.get("/emergencies")
def emergencies(
    request: Request,
    view: CurrentView,
    officer: Annotated[Officer, Depends(require(*READERS))],
    after: AfterRecord = None,
) -> HTMLResponse:
    """Emergency accesses, newest first; they were to a person's data, so the read is recorded."""
    settings: WebSettings = request.app.state.settings
    table = records.c
    own = select(table.record_id).where(table.kind == "emergency", table.owner == settings.msp_id)
    with reading(request, view) as snapshot:
        found = newest(snapshot.connection, "emergency", own, EMERGENCIES_A_PAGE, after)
    entries = [EmergencyAccess.from_dict(row.body) for row in found.rows if row.body]
    put_on_record(
        request,
        officer,
        "records",
        [settings.msp_id],
        row_count=len(entries),
        last_block=snapshot.last_block,
    )
    return page(
        request,
        "emergencies.html",
        title_key="emergencies.title",
        entries=entries,
        found=found,
        after=after,
        at=snapshot.at,
        form=new_form(),
        findings=tuple(EMERGENCY_FINDINGS),
        may_review=may_act(request, officer, "emergencies:review"),
    )


@router.post("/emergencies/{attempt_id}/review")
def review_emergency(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("emergencies:review"))],
    attempt_id: AttemptId,
    form: Annotated[EmergencyForm, Form()],
) -> RedirectResponse:
    """Offer the review of one."""
    review = checked(
        lambda: EmergencyReview(
            attempt_id=attempt_id,
            state=form.state,
            findings=tuple(form.findings),
            rationale_digest=None,
        )
    )
    return offer(request, officer, [call_of("emergencies:review", review)], form, "/emergencies")
