"""A personal data breach: recording one, and what is done about it (GDPR Art. 33, 34)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from consentry.identifiers import new_identifier
from consentry.transactions import checked
from consentry.web.access import READERS, Officer, require, require_function
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView
from consentry.web.offering import ActionForm, When, acting, call_of, instant_of, may_act, new_form, offer
from consentry.web.reading import reading
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry.web.views.registers import find_breach
from consentry_records.breach import NATURES, BreachStep, NewBreach, next_steps

router = APIRouter()
Reader = Annotated[Officer, Depends(require(*READERS))]
Recorder = Annotated[Officer, Depends(require_function("breaches:record"))]
BreachId = Annotated[str, Path(pattern="^breach-[0-9a-f]{32}$")]
_DIGEST = Field(default="", pattern="^(?:(?:sha256:)?[0-9a-f]{64})?$")


class BreachForm(ActionForm):
    """What is known of a breach; words stay with the organization, the ledger gets their digest."""

    natures: list[str] = Field(min_length=1, max_length=3)
    categories: str = Field(min_length=1, max_length=2100)
    subject_count: int = Field(ge=0, le=10**9)
    record_count: int = Field(ge=0, le=10**12)
    versions: str = Field(default="", max_length=3000)
    aware_at: When = ""
    facts: str = _DIGEST


class BreachStepForm(ActionForm):
    """What was done and when, and how many events the officer saw."""

    step: str = Field(max_length=32)
    happened_at: When = ""
    document: str = _DIGEST
    revision: int = Field(ge=1, le=32)


@router.get("/breaches/new")
def new_breach(request: Request, officer: Recorder) -> HTMLResponse:
    """The form of a new breach."""
    acting(request)
    return page(
        request,
        "breach_new.html",
        title_key="breach.new_title",
        form=new_form(),
        natures=tuple(NATURES),
    )


@router.post("/breaches/new")
def record_breach(
    request: Request, officer: Recorder, form: Annotated[BreachForm, Form()]
) -> RedirectResponse:
    """Offer to record it; the 72 hours run from when the organization became aware of it."""
    made = checked(
        lambda: NewBreach(
            breach_id=new_identifier("breach"),
            aware_at=instant_of(request, form.aware_at),
            natures=tuple(form.natures),
            categories=tuple(form.categories.split()),
            subject_count=form.subject_count,
            record_count=form.record_count,
            versions=tuple(form.versions.split()),
            facts_digest=_digest(form.facts),
        )
    )
    return offer(request, officer, [call_of("breaches:record", made)], form, f"/breaches/{made.breach_id}")


@router.get("/breaches/{breach_id}")
def breach(request: Request, view: CurrentView, officer: Reader, breach_id: BreachId) -> HTMLResponse:
    """One breach, which names no person. Its custodian's officers may record what was done about it."""
    settings: WebSettings = request.app.state.settings
    with reading(request, view) as snapshot:
        found = find_breach(snapshot.connection, breach_id, snapshot.at)
    if found is None:
        raise PageRefused(404, "NOT_FOUND", "there is no such breach")
    is_own = found.breach.custodian == settings.msp_id
    steps = next_steps(found.breach)
    return page(
        request,
        "breach.html",
        title_key="breach.title",
        found=found,
        form=new_form(),
        steps=steps if is_own and may_act(request, officer, "breaches:advance") else (),
    )


@router.post("/breaches/{breach_id}/step")
def advance_breach(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("breaches:advance"))],
    breach_id: BreachId,
    form: Annotated[BreachStepForm, Form()],
) -> RedirectResponse:
    """Offer to record a step; it was done now, or earlier (UTC)."""
    step = checked(
        lambda: BreachStep(
            breach_id=breach_id,
            revision=form.revision,
            step=form.step,
            happened_at=instant_of(request, form.happened_at),
            document_digest=_digest(form.document),
        )
    )
    return offer(request, officer, [call_of("breaches:advance", step)], form, f"/breaches/{breach_id}")


def _digest(text: str) -> str | None:
    """A digest as `sha256sum` prints it, or as the ledger has it; None for none."""
    return f"sha256:{text.removeprefix('sha256:')}" if text else None
