"""Registers with their clocks: requests of data subjects (GDPR Art. 12(3)), breaches (GDPR Art. 33(1))."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from consentry.index.rows import get_record
from consentry.web.access import Officer, require
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView
from consentry.web.offering import may_act
from consentry.web.reading import AfterRecord, put_on_record, reading
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry.web.views.registers import breach_register, rights_register
from consentry_records.roles import AUDITOR, DPO, REGULATOR

router = APIRouter()

ROLES = (DPO, AUDITOR, REGULATOR)
"""Who keeps or checks the registers."""

Keeper = Annotated[Officer, Depends(require(*ROLES))]
Organization = Annotated[str | None, Query(pattern="^[A-Za-z0-9.-]{1,64}$")]


@router.get("/rights")
def rights(
    request: Request,
    view: CurrentView,
    officer: Keeper,
    organization: Organization = None,
    after: AfterRecord = None,
) -> HTMLResponse:
    """Requests of data subjects; they are about persons, so the read is put on record."""
    with reading(request, view) as snapshot:
        choices = organizations(request, snapshot.connection)
        chosen = chosen_organization(request, choices, organization)
        found = rights_register(snapshot.connection, chosen, snapshot.at, after)
    count = len(found.open) + len(found.done)
    put_on_record(request, officer, "records", [chosen], row_count=count, last_block=snapshot.last_block)
    return page(
        request,
        "rights.html",
        title_key="rights.title",
        found=found,
        choices=choices,
        after=after,
        may_record=may_act(request, officer, "rights:receive"),
    )


@router.get("/breaches")
def breaches(
    request: Request,
    view: CurrentView,
    officer: Keeper,
    organization: Organization = None,
    after: AfterRecord = None,
) -> HTMLResponse:
    """Breaches, which name no person."""
    with reading(request, view) as snapshot:
        choices = organizations(request, snapshot.connection)
        chosen = chosen_organization(request, choices, organization)
        found = breach_register(snapshot.connection, chosen, snapshot.at, after)
    return page(
        request,
        "breaches.html",
        title_key="breaches.title",
        found=found,
        choices=choices,
        after=after,
        may_record=may_act(request, officer, "breaches:record"),
    )


def organizations(request: Request, connection: Connection) -> tuple[str, ...]:
    """Whose registers an officer may see: a hospital's its own, a regulator's those of every member."""
    settings: WebSettings = request.app.state.settings
    if settings.kind != REGULATOR:
        return (settings.msp_id,)
    row = get_record(connection, "settings", "")
    members = row.body.get("organizations", ()) if row is not None else ()
    return tuple(sorted(str(entry["msp_id"]) for entry in members)) or (settings.msp_id,)


def chosen_organization(request: Request, choices: tuple[str, ...], wanted: str | None) -> str:
    """The organization that was asked for, else the own one.

    Raises:
        PageRefused: 403, OTHER_ORGANIZATION.
    """
    settings: WebSettings = request.app.state.settings
    chosen = wanted or settings.msp_id
    if chosen not in choices:
        raise PageRefused(403, "OTHER_ORGANIZATION", "another organization's register")
    return chosen
