"""Grants: the list, one with its time line, and what its custodian or a regulator may do to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from pydantic import Field

from consentry.errors import InputRejected
from consentry.transactions import checked
from consentry.web.access import READERS, Officer, require, require_function
from consentry.web.graphs.grant_line import Mark, Span, draw_grant
from consentry.web.ledger_view import CurrentView, LedgerView
from consentry.web.offering import ActionForm, call_of, may_act, new_form, offer
from consentry.web.reading import AfterRecord, GrantId, reading
from consentry.web.rendering import page, words
from consentry.web.settings import WebSettings
from consentry.web.values import moment
from consentry.web.views.grants import GrantView, list_grants, view_grant
from consentry_records.grant import GrantChange, NarrowedGrant
from consentry_records.instants import format_instant, shift
from consentry_records.record import field_names

router = APIRouter()
Reader = Annotated[Officer, Depends(require(*READERS))]


class EndForm(ActionForm):
    """The last day on which a grant holds."""

    until: date


class NarrowForm(EndForm):
    """What a grant keeps."""

    versions: list[str] = Field(min_length=1, max_length=64)
    purposes: list[str] = Field(min_length=1, max_length=16)
    aggregate_output_only: bool = False


@router.get("/grants")
def grants(request: Request, view: CurrentView, officer: Reader, after: AfterRecord = None) -> HTMLResponse:
    """Grants, newest first; they concern organizations."""
    with reading(request, view) as snapshot:
        found = list_grants(snapshot.connection, snapshot.at, after)
    return page(request, "grants.html", title_key="grants.title", found=found, after=after)


@router.get("/grants/{grant_id}")
def grant(request: Request, view: CurrentView, officer: Reader, grant_id: GrantId) -> HTMLResponse:
    """One grant, with its time line and the forms of what the officer may do."""
    with reading(request, view) as snapshot:
        found = view_grant(snapshot.connection, grant_id, snapshot.at)
    settings: WebSettings = request.app.state.settings
    is_open = found.grant.state == "active"
    is_own = found.grant.custodian == settings.msp_id and found.entry.honoured
    return page(
        request,
        "grant.html",
        title_key="grant.title",
        found=found,
        figure=_figure(request, found, snapshot.at),
        form=new_form(),
        may_change=is_open and is_own and may_act(request, officer, "grants:change"),
        may_suspend=is_open and not found.is_suspended and may_act(request, officer, "grants:suspend"),
        may_lift=found.is_suspended
        and found.regulator == settings.msp_id
        and may_act(request, officer, "grants:lift_suspension"),
        last_day=shift(found.grant.not_after, -1)[:10],
    )


@router.post("/grants/{grant_id}/revoke")
def revoke(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("grants:revoke"))],
    grant_id: GrantId,
    form: Annotated[ActionForm, Form()],
) -> RedirectResponse:
    """Offer the revocation."""
    return offer(request, officer, [call_of("grants:revoke", grant_id)], form, f"/grants/{grant_id}")


@router.post("/grants/{grant_id}/suspend")
def suspend(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("grants:suspend"))],
    grant_id: GrantId,
    form: Annotated[ActionForm, Form()],
) -> RedirectResponse:
    """Offer the suspension."""
    return offer(request, officer, [call_of("grants:suspend", grant_id)], form, f"/grants/{grant_id}")


@router.post("/grants/{grant_id}/lift-suspension")
def lift_suspension(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("grants:lift_suspension"))],
    grant_id: GrantId,
    form: Annotated[ActionForm, Form()],
) -> RedirectResponse:
    """Offer to lift the suspension."""
    calls = [call_of("grants:lift_suspension", grant_id)]
    return offer(request, officer, calls, form, f"/grants/{grant_id}")


@router.post("/grants/{grant_id}/end")
def change_end(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("grants:change"))],
    grant_id: GrantId,
    form: Annotated[EndForm, Form()],
) -> RedirectResponse:
    """Offer another end."""
    change = checked(lambda: GrantChange(grant_id=grant_id, not_after=end_of(form.until)))
    return offer(request, officer, [call_of("grants:change", change)], form, f"/grants/{grant_id}")


@router.post("/grants/{grant_id}/renew")
def renew(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("grants:renew"))],
    grant_id: GrantId,
    form: Annotated[EndForm, Form()],
) -> RedirectResponse:
    """Offer a renewal."""
    change = checked(lambda: GrantChange(grant_id=grant_id, not_after=end_of(form.until)))
    return offer(request, officer, [call_of("grants:renew", change)], form, f"/grants/{grant_id}")


@router.post("/grants/{grant_id}/narrow")
def narrow(
    request: Request,
    view: CurrentView,
    officer: Annotated[Officer, Depends(require_function("grants:narrow"))],
    grant_id: GrantId,
    form: Annotated[NarrowForm, Form()],
) -> RedirectResponse:
    """Offer a narrower grant: what the form does not name stays."""
    narrower = checked(lambda: _narrowed(request, view, grant_id, form))
    return offer(request, officer, [call_of("grants:narrow", narrower)], form, f"/grants/{grant_id}")


def end_of(day: date) -> str:
    """The instant at which a day has ended in UTC.

    Raises:
        InputRejected: TIME_INVALID.
    """
    try:
        return format_instant(datetime.combine(day, time(), UTC) + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise InputRejected("TIME_INVALID", "the day is none that the ledger knows") from error


def _narrowed(request: Request, view: LedgerView, grant_id: str, form: NarrowForm) -> NarrowedGrant:
    with reading(request, view) as snapshot:
        before = view_grant(snapshot.connection, grant_id, snapshot.at).grant
    fields = {name: getattr(before, name) for name in field_names(NarrowedGrant)}
    is_bounded = before.conditions.aggregate_output_only or form.aggregate_output_only
    kept = {
        "versions": tuple(form.versions),
        "purposes": tuple(form.purposes),
        "not_after": min(before.not_after, end_of(form.until)),
        "conditions": replace(before.conditions, aggregate_output_only=is_bounded),
    }
    return NarrowedGrant(**{**fields, **kept})


def _figure(request: Request, found: GrantView, at: str) -> Markup:
    text = words(request)
    grant, spans, begun = found.grant, [], ""
    ended = next((change.at for change in found.changes if change.what == "revoked"), grant.not_after)
    end = min(grant.not_after, max(ended, grant.not_before))
    spans.append(Span("holds", text("grant.holds"), grant.not_before, end))
    for change in found.changes:
        if change.what == "suspended":
            begun = change.at
        elif change.what == "lifted" and begun:
            spans.append(Span("suspended", text("grant.was_suspended"), begun, change.at))
            begun = ""
    if begun:
        spans.append(Span("suspended", text("grant.was_suspended"), begun, max(begun, min(at, end))))
    marks = [Mark(text(f"grant_changes.{change.what}"), change.at) for change in found.changes[:12]]
    description = text(
        "grant.description",
        begin=moment(grant.not_before).striptags(),
        end=moment(end).striptags(),
        changes=len(found.changes),
    )
    return draw_grant(spans, marks, title=text("grant.drawing"), description=description)
