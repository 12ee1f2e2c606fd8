"""Requests for access: the list, one with its reviews and grants, and how it is reviewed and granted."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from consentry.errors import ConsentryError
from consentry.identifiers import new_identifier
from consentry.reviews import VersionMatch
from consentry.transactions import checked
from consentry.web.access import READERS, Officer, require, require_function
from consentry.web.actions import Call, visible_lines
from consentry.web.ledger_view import CurrentView
from consentry.web.offering import ActionForm, acting, call_of, may_act, new_form, offer
from consentry.web.pages.grants import end_of
from consentry.web.reading import AfterRecord, RequestId, reading
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry.web.signing.desk import SECONDS
from consentry.web.views.requests import RequestView, list_requests, review_policy, view_request
from consentry_records.conditions import Conditions
from consentry_records.digest import sha256_digest
from consentry_records.grant import NewGrant
from consentry_records.instants import format_instant
from consentry_records.review import SALT_BYTES, NewReview, NewReviewPolicy, Review, encode_rationale

router = APIRouter()
Reader = Annotated[Officer, Depends(require(*READERS))]
_REASONS = 11
_LONGEST_RATIONALE = 12_000


class ReviewForm(ActionForm):
    """A reviewer's recommendation with its reasons, and words for the own organization alone."""

    recommendation: str = Field(max_length=16)
    reasons: list[str] = Field(min_length=1, max_length=_REASONS)
    rationale: str = Field(default="", max_length=_LONGEST_RATIONALE)


class GrantForm(ActionForm):
    """What of a request is granted, until the end of which day, and on which conditions."""

    versions: list[str] = Field(min_length=1, max_length=64)
    purposes: list[str] = Field(min_length=1, max_length=16)
    restrictions: list[str] = Field(default=[], max_length=16)
    until: date
    maximum_uses: str = Field(default="", pattern="^[0-9]{0,4}$")
    persons: str = Field(default="", max_length=4200)
    countries: str = Field(default="", max_length=200)
    project_members_only: bool = False
    aggregate_output_only: bool = False


class PolicyForm(ActionForm):
    """How many approving reviews grants of the organization need, and of which roles."""

    approvals: int = Field(ge=0, le=16)
    required_roles: list[str] = Field(default=[], max_length=3)


@router.get("/requests")
def requests(
    request: Request,
    view: CurrentView,
    officer: Reader,
    after: AfterRecord = None,
    own: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """Requests, newest first; all, or those for the organization's own data."""
    settings: WebSettings = request.app.state.settings
    with reading(request, view) as snapshot:
        found = list_requests(snapshot.connection, after, settings.msp_id if own else None)
        policy = review_policy(snapshot.connection, settings.msp_id)
    return page(
        request,
        "requests.html",
        title_key="requests.title",
        found=found,
        after=after,
        own=own,
        policy=policy,
        form=new_form(),
        may_set_policy=may_act(request, officer, "reviews:set_policy"),
    )


@router.get("/requests/{request_id}")
def access_request(
    request: Request,
    view: CurrentView,
    officer: Reader,
    request_id: RequestId,
    rationales: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """One request, with the forms of what the officer may do."""
    settings: WebSettings = request.app.state.settings
    with reading(request, view) as snapshot:
        found = view_request(snapshot.connection, request_id, snapshot.at)
    own = found.own(settings.msp_id)
    may_read = may_act(request, officer, "reviews:read_rationale") and bool(own)
    return page(
        request,
        "request.html",
        title_key="request.title",
        found=found,
        own=own,
        form=new_form(),
        matches=_matches(request, request_id),
        may_read=may_read,
        rationales=_rationales(request, found) if rationales and may_read else {},
        may_review=bool(own)
        and not _is_by(found, officer)
        and may_act(request, officer, "reviews:record", "reviews:store_rationale"),
        may_grant=bool(own) and not _asked_by(found, officer) and may_act(request, officer, "grants:grant"),
        today=snapshot.at[:10],
    )


@router.post("/requests/policy")
def set_policy(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("reviews:set_policy"))],
    form: Annotated[PolicyForm, Form()],
) -> RedirectResponse:
    """Offer other demands on reviews."""
    policy = checked(
        lambda: NewReviewPolicy(approvals=form.approvals, required_roles=tuple(form.required_roles))
    )
    return offer(request, officer, [call_of("reviews:set_policy", policy)], form, "/requests")


@router.post("/requests/{request_id}/review")
def review(
    request: Request,
    officer: Annotated[Officer, Depends(require_function("reviews:record"))],
    request_id: RequestId,
    form: Annotated[ReviewForm, Form()],
) -> RedirectResponse:
    """Offer a review, and the rationale before it where there is one.

    The rationale is in memory until its transaction is committed, declined or ten minutes old.
    """
    text = form.rationale.replace("\r\n", "\n").strip()
    encoded = checked(lambda: encode_rationale(secrets.token_bytes(SALT_BYTES), text)) if text else None
    record = checked(
        lambda: NewReview(
            request_id=request_id,
            recommendation=form.recommendation,
            reasons=tuple(form.reasons),
            rationale_digest=None if encoded is None else sha256_digest(encoded),
        )
    )
    calls = [call_of("reviews:record", record)]
    if encoded is not None:
        arguments = (b"reviews:store_rationale", request_id.encode())
        calls.insert(0, Call(arguments, {"rationale": encoded}, (officer.msp_id,)))
    return offer(request, officer, calls, form, f"/requests/{request_id}")


@router.post("/requests/{request_id}/grant")
def grant_access(
    request: Request,
    view: CurrentView,
    officer: Annotated[Officer, Depends(require_function("grants:grant"))],
    request_id: RequestId,
    form: Annotated[GrantForm, Form()],
) -> RedirectResponse:
    """Offer a grant; restrictions and diseases of the request stay, whatever the form says.

    It begins when the time to sign it is over: the ledger takes none that began before its transaction.
    """
    settings: WebSettings = request.app.state.settings
    with reading(request, view) as snapshot:
        asked = view_request(snapshot.connection, request_id, snapshot.at).request
    begin = format_instant(settings.clock() + timedelta(seconds=SECONDS))
    grant = checked(
        lambda: NewGrant(
            grant_id=new_identifier("grant"),
            request_id=request_id,
            versions=tuple(form.versions),
            purposes=tuple(form.purposes),
            restrictions=tuple(dict.fromkeys([*asked.restrictions, *form.restrictions])),
            not_before=begin,
            not_after=end_of(form.until),
            diseases=asked.diseases,
            conditions=_conditions(form),
        )
    )
    return offer(request, officer, [call_of("grants:grant", grant)], form, f"/requests/{request_id}")


def _conditions(form: GrantForm) -> Conditions:
    return Conditions(
        maximum_uses=int(form.maximum_uses) if form.maximum_uses else None,
        persons=tuple(form.persons.split()),
        countries=tuple(form.countries.upper().split()),
        project_members_only=form.project_members_only,
        aggregate_output_only=form.aggregate_output_only,
    )


def _asked_by(found: RequestView, officer: Officer) -> bool:
    return (officer.msp_id, officer.enrolment_id) == (found.request.requester_msp, found.request.requester)


def _is_by(found: RequestView, officer: Officer) -> bool:
    """Whether the officer made the request or reviewed it already."""
    who = (officer.msp_id, officer.enrolment_id)
    return _asked_by(found, officer) or any(who == (one.custodian, one.reviewer) for one in found.reviews)


def _matches(request: Request, request_id: str) -> dict[str, VersionMatch]:
    """What the terms of each version say by the ledger; nothing while it does not answer."""
    settings: WebSettings = request.app.state.settings
    if settings.actions is None:
        return {}
    try:
        return {match.version_id: match for match in settings.actions.match(request_id)}
    except ConsentryError:
        return {}


def _rationales(request: Request, found: RequestView) -> dict[str, tuple[str, ...]]:
    """Rationales of the own organization's reviewers, by enrolment id, each line made harmless."""
    actions, settings = acting(request), request.app.state.settings

    def read(one: Review) -> tuple[str, ...]:
        try:
            return visible_lines(actions.rationale(one.request_id, one.reviewer))
        except ConsentryError as error:
            return (error.code,)

    own = [one for one in found.reviews if one.custodian == settings.msp_id and one.rationale_digest]
    return {one.reviewer: read(one) for one in own}
